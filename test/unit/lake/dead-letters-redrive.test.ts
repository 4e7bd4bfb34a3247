import { committedFiles } from '#shared/lake/committed-files.ts'
import { lettersWith } from '#shared/lake/dead-letters-land.ts'
import { countCommits } from '#shared/lake/dead-letters-redrive.ts'
import { commitKey, logPrefix } from '#shared/lake/log-keys.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { dryRedriveStore } from '#shared/lake/redrive-log.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { inGeneration } from '#shared/pipeline/generation.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { mended, openIn, redrive, timeless } from '#test/helpers/mending-sensors.ts'
import { originsIn } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

let store: MemoryStore

const CLUSTER = 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5'
const TOPIC = { pipeline: 'sensors', generation: 0, cluster: CLUSTER, topic: 'sensors' }
const LOG = logPrefix({ ...TOPIC, epoch: 0, partition: 0 })

/** Two commits: 0…4 with dead letters 1, 2 and 4; 5…6 with the dead letter 6. The pipeline throws, misses a time, or finds no JSON. */
beforeEach(async () => {
  store = new MemoryStore()
  await deliver(store, sensors, sensorEvent([reading(1), reading(666), timeless(2), reading(0), '{']))
  await deliver(store, sensors, sensorEvent([reading(3), timeless(4)], 0, 5))
})

type Sum = Pick<SliceReport, 'records' | 'known' | 'written' | 'skipped' | 'rejected' | 'rows'>
const summed = (reports: readonly SliceReport[]): Sum => {
  const sum = { records: 0, known: 0, written: 0, skipped: 0, rejected: 0, rows: 0 }
  for (const report of reports) for (const key of Object.keys(sum) as (keyof Sum)[]) sum[key] += report[key]
  return sum
}
const faultsOf = async (lake: ObjectStore): Promise<unknown> => (await verifyLake(lake, { deep: true })).faults

test('by the mended pipeline they become rows; what it refuses too is a newer dead letter; a second time changes no row', async () => {
  const { reports, next } = await redrive(store)
  expect(next).toBeUndefined()
  expect(summed(reports)).toEqual({ records: 4, known: 0, written: 3, skipped: 0, rejected: 1, rows: 3 })
  expect(reports.map(({ error }) => error)).toEqual([null, null])
  expect(await originsIn(store, 'sensors')).toEqual(['0@0.0', '0@1.0', '0@2.0', '0@5.0', '0@6.0'])
  expect(await openIn(store)).toEqual(['0/0@4'])
  // What was refused is there as it was, and once more.
  expect(await originsIn(store, 'sensors_dead_letters')).toEqual(['0@1.0', '0@2.0', '0@4.0', '0@4.0', '0@6.0'])

  const again = await redrive(store)
  expect(summed(again.reports)).toMatchObject({ records: 1, written: 0, rejected: 1 })
  expect(await originsIn(store, 'sensors')).toEqual(['0@0.0', '0@1.0', '0@2.0', '0@5.0', '0@6.0'])
  expect(await faultsOf(store)).toEqual([])
})

test('when none is open, only the log is read, and nothing is written', async () => {
  await redrive(store, mended, { logs: { from: 5 } })
  const calls: string[] = []
  const watched = store.through(async ({ operation, key }, effect) => {
    calls.push(`${operation} ${key}`)
    return effect()
  })
  expect(await redrive(watched, mended, { logs: { from: 5 } })).toEqual({ reports: [], next: undefined })
  expect(calls.filter((call) => !/^(?:list|get) log\//.test(call))).toEqual([])
})

test('the trigger may deliver them again meanwhile: nothing is there twice', async () => {
  const event = sensorEvent([reading(1), reading(666), timeless(2), reading(0), '{', reading(3), timeless(4)])
  await Promise.all([redrive(store), deliver(store, mended, event), redrive(store), deliver(store, sensors, event)])
  expect(await originsIn(store, 'sensors')).toEqual(['0@0.0', '0@1.0', '0@2.0', '0@5.0', '0@6.0'])
  expect(await openIn(store)).toEqual(['0/0@4'])
  expect(await faultsOf(store)).toEqual([])
})

test('what another redrive has resolved meanwhile is known', async () => {
  let others: Promise<unknown> | undefined
  const slow = store.through(async ({ operation }, effect) => {
    // Once the dead letters are read, and before they land.
    if (operation === 'put' && others === undefined) await (others = redrive(store))
    return effect()
  })
  const { reports } = await redrive(slow, mended, { concurrency: 1 })
  expect(summed(reports)).toEqual({ records: 4, known: 3, written: 0, skipped: 0, rejected: 1, rows: 0 })
  expect(await originsIn(store, 'sensors')).toHaveLength(5)
  expect(await faultsOf(store)).toEqual([])
})

test('those of several days lie in several files, and land in the order of their offsets', async () => {
  const days = [1, 2, 1, 2].map((day) => Date.UTC(2026, 0, day))
  const made = sensorEvent(
    days.map(() => timeless(1)),
    4,
  ) as { records: Record<string, Record<string, unknown>[]> }
  for (const [i, record] of (made.records['sensors-4'] ?? []).entries()) record['timestamp'] = days[i]
  await deliver(store, sensors, made)
  const { reports } = await redrive(store, mended, { logs: { partition: 4 } })
  expect(reports).toMatchObject([{ firstOffset: 0, lastOffset: 3, records: 4, written: 4, error: null }])
})

test('the pipeline is given the very record', async () => {
  const [made] = Object.values((sensorEvent([reading(666)], 3, 7) as { records: Record<string, object[]> }).records)
  const [record] = made ?? []
  const whole = {
    ...record,
    timestampType: 'LOG_APPEND_TIME',
    key: Buffer.from([0, 0xff]).toString('base64'),
    headers: [{ a: [-1, 0] }, { a: [] }, { '\ufeffb': [1] }],
  }
  await deliver(store, sensors, { ...(sensorEvent([]) as object), records: { 'sensors-3': [whole] } })
  const given: KafkaRecord[] = []
  const watching: Pipeline = {
    ...mended,
    transform: ({ record: again }) => {
      given.push(again)
      return null
    },
  }
  await redrive(store, watching, { logs: { partition: 3 } })
  expect(given).toEqual([
    {
      topic: 'sensors',
      partition: 3,
      offset: 7,
      timestamp: 1_700_000_000_007,
      timestampType: 'LOG_APPEND_TIME',
      key: Buffer.from([0, 0xff]),
      value: Buffer.from(reading(666)),
      headers: [
        { name: 'a', value: Buffer.from([0xff, 0]) },
        { name: 'a', value: Buffer.from([]) },
        { name: '\ufeffb', value: Buffer.from([1]) },
      ],
    },
  ])
})

describe('which', () => {
  test.each([
    [{ logs: { from: 5 } }, ['0/0@1', '0/0@2', '0/0@4']],
    [{ logs: { from: 2, to: 2 } }, ['0/0@1', '0/0@4', '0/0@6']],
    [{ logs: { to: 1 } }, ['0/0@2', '0/0@4', '0/0@6']],
    [{ logs: { partition: 1 } }, ['0/0@1', '0/0@2', '0/0@4', '0/0@6']],
    [{ logs: { topic: 'others' } }, ['0/0@1', '0/0@2', '0/0@4', '0/0@6']],
    [{ isMeant: lettersWith({ code: 'EVENT_INVALID' }) }, ['0/0@1', '0/0@4']],
    [{ isMeant: lettersWith({ code: 'EVENT_INVALID', field: 'value' }) }, ['0/0@1', '0/0@2', '0/0@4', '0/0@6']],
    [{ isMeant: lettersWith({ field: 'at' }) }, ['0/0@1', '0/0@4']],
  ])('%j: the others stay open', async (options, open) => {
    await redrive(store, mended, options)
    expect(await openIn(store)).toEqual(open)
  })

  test('every epoch, each in its own log; no other generation, and no other pipeline', async () => {
    await deliver(store, sensors, sensorEvent([reading(666)]), { epoch: 1 })
    await deliver(store, inGeneration(sensors, 1), sensorEvent([reading(666)], 7))
    await deliver(store, { ...sensors, name: 'sensors2' }, sensorEvent([reading(666)], 8))
    await redrive(store, mended, { isMeant: lettersWith({ code: 'TRANSFORM_THREW' }) })
    expect(await openIn(store)).toEqual(['0/0@2', '0/0@4', '0/0@6', '0/7@0', '0/8@0'])
    await redrive(store, inGeneration(mended, 1))
    expect(await openIn(store)).toEqual(['0/0@2', '0/0@4', '0/0@6', '0/8@0'])
    expect(await originsIn(store, 'sensors_g1')).toEqual(['7@0.0'])
  })

  test('the commits that it looks at are counted before', async () => {
    expect(await countCommits(store, mended, {})).toBe(2)
    expect(await countCommits(store, mended, { from: 5 })).toBe(1)
    expect(await countCommits(store, mended, { topic: 'others' })).toBe(0)
    expect(await countCommits(store, inGeneration(mended, 1), {})).toBe(0)
    let looked = 0
    await redrive(store, mended, { onCommit: () => (looked += 1) })
    expect(looked).toBe(2)
  })
})

describe('no time left', () => {
  test('nothing is begun, and the answer says where to go on', async () => {
    const { reports, next } = await redrive(store, mended, { signal: AbortSignal.abort() })
    expect([reports, next?.commit]).toEqual([[], 5])
    expect(await openIn(store)).toHaveLength(4)
  })

  test('a commit without dead letters is looked at the next time, too; and the rest of a long log is not read', async () => {
    for (let offset = 7; offset < 80; offset++) await deliver(store, sensors, sensorEvent([reading(1)], 0, offset))
    let reads = 0
    const watched = store.through(async ({ operation }, effect) => {
      if (operation === 'get') reads += 1
      return effect()
    })
    const { next } = await redrive(watched, mended, { signal: AbortSignal.abort() })
    expect(next?.commit).toBe(79)
    expect(reads).toBeLessThan(40)
  })

  test.each([1, 4])('stopped anywhere, %d at a time, it goes on from there until all is done', async (concurrency) => {
    for (const partition of [1, 2]) {
      for (let offset = 0; offset < 12; offset += 2)
        await deliver(store, sensors, sensorEvent([timeless(1), reading(1)], partition, offset))
    }
    let rounds = 0
    let records = 0
    let resume = undefined as Awaited<ReturnType<typeof redrive>>['next']
    do {
      const stop = new AbortController()
      let landings = 0
      const slow = store.through(async ({ operation, key }, effect) => {
        if (operation === 'putIfAbsent' && key.includes('/amendments/') && ++landings === 2) stop.abort()
        return effect()
      })
      const { reports, next } = await redrive(slow, mended, { signal: stop.signal, resume, concurrency })
      expect(reports.map(({ error }) => error?.code)).toEqual(reports.map(() => undefined))
      records += summed(reports).records
      resume = next
      rounds += 1
    } while (resume !== undefined && rounds < 50)
    expect(rounds).toBeGreaterThan(2)
    // The one that is refused for good may have been met by more than one round.
    expect(records).toBeGreaterThanOrEqual(16)
    expect(await openIn(store)).toEqual(['0/0@4'])
    expect(await faultsOf(store)).toEqual([])
  })
})

describe('dead letters that cannot be read', () => {
  const fileOf = async (offset: number): Promise<string> => {
    const files = (await committedFiles(store)).get('sensors_dead_letters') ?? []
    return files.find(({ path }) => path.includes(`-c${offset}-`))?.path ?? ''
  }

  test.each([
    ['missing', async (key: string) => store.delete(key), /is missing, but a commit names it/],
    ['damaged', async (key: string) => store.put(key, Buffer.from('PAR1')), /cannot be read as dead letters: /],
    [
      'of other records',
      async (key: string) => store.put(key, (await store.get(await fileOf(5))) as Uint8Array),
      /the log names 3 open dead letters from offset 1, but their files hold 0: tables\//,
    ],
  ])('%s: they are counted as failed, and the others land', async (_, damage, message) => {
    await damage(await fileOf(0))
    const { reports, next } = await redrive(store)
    expect(next).toBeUndefined()
    expect(reports.find(({ error }) => error !== null)).toMatchObject({
      records: 3,
      firstOffset: 1,
      lastOffset: 4,
      written: 0,
      error: { code: 'LOG_CORRUPT', message: expect.stringMatching(message) },
    })
    expect(reports.find(({ error }) => error === null)).toMatchObject({ records: 1, written: 1, firstOffset: 6 })
    expect(await openIn(store)).toEqual(['0/0@1', '0/0@2', '0/0@4'])
  })

  test('a record that is not the one of the log does not land', async () => {
    const key = await fileOf(5)
    const other = new MemoryStore()
    await deliver(other, sensors, sensorEvent([reading(3), timeless(5)], 0, 5))
    const [forged] = (await committedFiles(other)).get('sensors_dead_letters') ?? []
    await store.put(key, (await other.get(forged?.path ?? '')) as Uint8Array)
    const { reports } = await redrive(store, mended, { logs: { from: 5 } })
    expect(reports).toMatchObject([{ records: 1, error: { code: 'OFFSETS_RESTARTED' } }])
  })
})

describe('what one landing takes', () => {
  const pieces = async (values: readonly string[]): Promise<number[]> => {
    store = new MemoryStore()
    await deliver(store, sensors, sensorEvent(values))
    return (await redrive(store)).reports.map(({ records }) => records)
  }

  test('is at most 5,000 records', async () => {
    expect(await pieces(Array.from({ length: 5001 }, () => '{'))).toEqual([5000, 1])
    expect(await openIn(store)).toHaveLength(5001)
  })

  test('is at most 4 MB, but for one record that is larger', async () => {
    const large = (bytes: number): string => `{${'x'.repeat(bytes - 1)}`
    expect(await pieces([large(3_999_999), '{', '{', large(4_000_001), '{'])).toEqual([2, 1, 1, 1])
    expect(await pieces([large(4_000_001), '{'])).toEqual([1, 1])
  })
})

test('when the log cannot be read, it ends only after all that has begun', async () => {
  let writing = 0
  let begin = (): void => {}
  const isBegun = new Promise<void>((resolve) => (begin = resolve))
  const slow = store.through(async ({ operation, key }, effect) => {
    if (operation === 'get' && key === commitKey(LOG, 0)) {
      await isBegun
      throw new Error('no longer there')
    }
    if (operation !== 'put') return effect()
    begin()
    writing += 1
    await new Promise((resolve) => setTimeout(resolve, 20))
    writing -= 1
    return effect()
  })
  await expect(redrive(slow, mended)).rejects.toThrow('no longer there')
  expect(writing).toBe(0)
  expect(await openIn(store)).toEqual(['0/0@1', '0/0@2', '0/0@4'])
})

test('a dry run finds out all of it and writes nothing', async () => {
  const codes = new Map<string, number>()
  const before = await keysOf(store, '')
  const { reports } = await redrive(dryRedriveStore(store, compileFlow(mended), codes))
  expect(summed(reports)).toEqual({ records: 4, known: 0, written: 3, skipped: 0, rejected: 1, rows: 3 })
  expect([...codes]).toEqual([['JSON_INVALID', 1]])
  expect(await keysOf(store, '')).toEqual(before)
})

describe('in a directory', () => {
  const directory = temporaryDirectory()

  test('the same', async () => {
    const lake = new DirectoryStore(directory())
    await deliver(lake, sensors, sensorEvent([reading(1), reading(666), timeless(2)]))
    expect(summed((await redrive(lake)).reports)).toMatchObject({ records: 2, written: 2 })
    expect(await originsIn(lake, 'sensors')).toEqual(['0@0.0', '0@1.0', '0@2.0'])
    expect(await faultsOf(lake)).toEqual([])
  })
})
