import { amendmentKey, commitKey, epochKey, type LogId, logPrefix, markerKey } from '#shared/lake/log-keys.ts'
import { historiesOf } from '#shared/lake/verify/histories.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'

const LOG: LogId = { pipeline: 'p', generation: 0, cluster: 'c', topic: 't', epoch: 0, partition: 0 }

/** What is found in a store of these keys: histories as `<partition>@<start>:<amendments>`, `!` before those without a commit. */
async function found(keys: readonly string[]) {
  const store = new MemoryStore()
  for (const key of keys) await store.put(key, Buffer.from('{}'))
  const strays: string[] = []
  const epochs: number[] = []
  const histories: string[] = []
  const options = {
    onStray: ({ object }: { object: string }) => void strays.push(object),
    onEpoch: (_topic: unknown, epoch: number) => void epochs.push(epoch),
  }
  for await (const { log, start, hasCommit, amendments } of historiesOf(store, options))
    histories.push(`${hasCommit ? '' : '!'}e${log.id.epoch}p${log.id.partition}@${start}:${amendments.join(',')}`)
  return { histories, strays, epochs }
}

const prefix = (partition: number, epoch = 0): string => logPrefix({ ...LOG, epoch, partition })
const commit = (start: number, partition = 0, epoch = 0): string => commitKey(prefix(partition, epoch), start)
const amendment = (start: number, number: number, partition = 0): string =>
  amendmentKey(prefix(partition), start, number)

test('commits, the newest first, each with its amendments', async () => {
  const keys = [commit(0), commit(5), commit(9), amendment(0, 0), amendment(9, 0), amendment(9, 1), amendment(9, 2)]
  expect(await found(keys)).toEqual({ histories: ['e0p0@9:0,1,2', 'e0p0@5:', 'e0p0@0:0'], strays: [], epochs: [] })
})

test('log by log: the amendments of one are not those of the next', async () => {
  const keys = [commit(0), amendment(0, 0), commit(0, 1), commit(0, 2), amendment(0, 0, 2), commit(0, 0, 1)]
  expect((await found(keys)).histories).toEqual(['e0p0@0:0', 'e0p1@0:', 'e0p2@0:0', 'e1p0@0:'])
})

test('amendments of commits that are missing: behind, between and before the others, and in a log without any', async () => {
  const keys = [commit(3), commit(7), ...[1, 5, 9].map((start) => amendment(start, 0)), amendment(4, 0, 1)]
  expect((await found(keys)).histories).toEqual([
    '!e0p0@9:0',
    'e0p0@7:',
    '!e0p0@5:0',
    'e0p0@3:',
    '!e0p0@1:0',
    '!e0p1@4:0',
  ])
})

test('a hole among the numbers is there to be seen', async () => {
  expect((await found([commit(0), amendment(0, 1), amendment(0, 4)])).histories).toEqual(['e0p0@0:1,4'])
})

test('strays are what lies among entries and is none; markers and epochs are not', async () => {
  const strays = [`${prefix(0)}amendments/x.json`, `${commit(0)}.bak`, `${prefix(0)}commits/1.json`]
  const keys = [
    commit(0),
    ...strays,
    markerKey(prefix(0), 'rows', 0, 0),
    'log/readme',
    epochKey(LOG, 1),
    epochKey(LOG, 2),
  ]
  expect(await found(keys)).toEqual({ histories: ['e0p0@0:'], strays: strays.sort(), epochs: [2, 1] })
})

test('a lake without logs', async () => {
  expect((await found(['tables/t/data/x', 'log/x'])).histories).toEqual([])
})
