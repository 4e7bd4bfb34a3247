import { S3Store } from '#shared/lake/s3-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { Bucket } from '#test/helpers/simulation/bucket.ts'
import type { Events } from '#test/helpers/simulation/events.ts'
import type { Fate } from '#test/helpers/simulation/fates.ts'
import { Process } from '#test/helpers/simulation/process.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { Schedule } from '#test/helpers/simulation/schedule.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A process with a store, and a schedule in which the first call meets with a fate and all others are done. */
function setUp(fate?: Fate) {
  const fates = fate === undefined ? [] : [fate]
  const events = { one: () => fates.shift() } as unknown as Events
  const schedule = new Schedule(new Random(1), events)
  const bucket = new Bucket()
  const process = new Process('function 1', schedule)
  const store = new S3Store('s3://lake', { client: bucket.clientOf(process), deadlineMs: 100 })
  const ended: (readonly [error: Error | undefined, answer: unknown])[] = []
  const begin = <T>(work: () => Promise<T>): void =>
    schedule.begin(process, work, (error, answer) => void ended.push([error, answer]))
  /** Lets so many calls through. @returns how many there were */
  const go = async (most = 100): Promise<number> => {
    for (let steps = 0; steps < most; steps++) {
      await settled()
      const call = schedule.pick()
      if (call === undefined) return steps
      schedule.step(call)
    }
    await settled()
    return most
  }
  return { schedule, bucket, process, store, ended, begin, go }
}

test.each<[Fate, 'created' | 'taken' | 'STORE_UNAVAILABLE', boolean]>([
  ['done', 'created', true],
  ['slow', 'created', true],
  ['refused', 'STORE_UNAVAILABLE', false],
  ['broken', 'STORE_UNAVAILABLE', false],
  ['answer lost', 'STORE_UNAVAILABLE', true],
  ['failed when done', 'STORE_UNAVAILABLE', true],
  ['late', 'STORE_UNAVAILABLE', false],
  // The client's second put meets its first.
  ['sent twice', 'taken', true],
])('a put-if-absent that is %j: the store says %j, and the object is there: %j', async (fate, heard, isThere) => {
  const { store, bucket, ended, begin, go } = setUp(fate)
  begin(() => store.putIfAbsent('key', Buffer.from('mine')))
  await go()
  const [[error, answer] = []] = ended
  expect(error instanceof InletError ? error.code : answer).toBe(heard)
  expect(bucket.objects.get('key') !== undefined).toBe(isThere)
})

test('what is late happens in the end', async () => {
  const { schedule, store, bucket, begin, go } = setUp('late')
  begin(() => store.put('key', Buffer.from('mine')))
  await go()
  schedule.calm()
  expect(bucket.objects.get('key')).toBeDefined()
})

test('an answer that breaks off is asked for again', async () => {
  const { store, bucket, ended, begin, go } = setUp('breaks off')
  bucket.objects.set('key', Buffer.from('mine'))
  begin(() => store.get('key'))
  await go()
  expect(ended).toEqual([[undefined, Buffer.from('mine')]])
})

test('who is killed hears nothing, not even of what was done', async () => {
  const { schedule, process, store, bucket, ended, begin, go } = setUp()
  begin(async () => {
    await store.put('first', Buffer.from('1'))
    await store.put('second', Buffer.from('2'))
    await store.put('third', Buffer.from('3'))
  })
  await go(1)
  schedule.kill(process)
  schedule.calm()
  expect(await go()).toBe(0)
  expect(bucket.objects.get('first')).toBeDefined()
  expect(bucket.objects.get('third')).toBeUndefined()
  expect(ended).toEqual([])
})

test('who is frozen waits, and goes on when it is thawed', async () => {
  const { schedule, process, store, ended, begin, go } = setUp()
  begin(() => Promise.all([store.put('a', Buffer.from('1')), store.put('b', Buffer.from('2'))]))
  schedule.freeze(process)
  expect(await go()).toBe(0)
  schedule.thaw(process)
  expect(await go()).toBe(3)
  expect(ended).toHaveLength(1)
})
