import { CommitLog } from '#shared/lake/commit-log.ts'
import { amendmentKey, commitKey, type LogId, logPrefix } from '#shared/lake/log-keys.ts'
import { LogStore, logsOf } from '#shared/lake/log-store.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { recordsAt, writeOffsets } from '#test/helpers/slices.ts'

const ID: LogId = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights', epoch: 0, partition: 1 }

let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore()
})

async function land(offsets: readonly number[], id = ID): Promise<void> {
  await new CommitLog(store, id).land(recordsAt(...offsets), writeOffsets())
}

describe('floor', () => {
  test('is the commit that begins at or before an offset, wherever it ends', async () => {
    await land([2])
    await land([5])
    await land([10])
    const log = new LogStore(store, ID)
    const starts = await Promise.all(
      [0, 2, 3, 5, 6, 10, 11, 1e15].map(async (offset) => (await log.floor(offset))?.start),
    )
    expect(starts).toEqual([0, 0, 3, 3, 6, 6, 6, 6])
  })

  test('is nothing in an empty log, though others have commits', async () => {
    await land([0], { ...ID, partition: 10 })
    await land([0], { ...ID, epoch: 1 })
    expect(await new LogStore(store, ID).floor(5)).toBeUndefined()
  })

  test('is one list of one key and one read, however many commits there are', async () => {
    for (const offset of [0, 1, 2, 3]) await land([offset])
    const calls: string[] = []
    const counted = store.through(async ({ operation }, effect) => {
      calls.push(operation)
      return effect()
    })
    expect((await new LogStore(counted, ID).floor(2))?.start).toBe(2)
    expect(calls).toEqual(['list', 'get'])
  })
})

describe('all entries', () => {
  test('commits come newest first, amendments by what they amend and then by number', async () => {
    await land([0, 4])
    await land([5, 9])
    for (const offset of [7, 2, 6]) await land([offset])
    const log = new LogStore(store, ID)
    const commits: number[] = []
    for await (const { start } of log.commits()) commits.push(start)
    const amendments: string[] = []
    for await (const { amends, number, start } of log.amendments()) amendments.push(`${amends}.${number}: ${start}`)
    expect(commits).toEqual([5, 0])
    expect(amendments).toEqual(['0.0: 2', '5.0: 7', '5.1: 6'])
  })

  test('a copy of an entry at another key is a corrupt log, not an entry', async () => {
    await land([0, 1])
    const prefix = logPrefix(ID)
    const body = await store.get(commitKey(prefix, 0))
    await store.put(commitKey(prefix, 2), body ?? new Uint8Array())
    await store.put(amendmentKey(prefix, 0, 0), body ?? new Uint8Array())
    const log = new LogStore(store, ID)
    for (const read of [log.floor(5), log.commitAt(2), log.amendmentsOf(0), log.amendmentAt(0, 0)])
      await expect(read).rejects.toMatchObject({
        code: 'LOG_CORRUPT',
        message: expect.stringContaining('holds the entry of'),
      })
  })

  test('a commit that is deleted while the log is read is a corrupt log', async () => {
    await land([0])
    const key = commitKey(logPrefix(ID), 0)
    const deleting = store.through(async ({ operation }, effect) => {
      if (operation === 'get') await store.delete(key)
      return effect()
    })
    const floor = new LogStore(deleting, ID).floor(0)
    await expect(floor).rejects.toMatchObject({ code: 'LOG_CORRUPT', message: expect.stringContaining(key) })
  })
})

describe('logsOf', () => {
  test('finds each log once, whatever it holds', async () => {
    const ids = [
      { ...ID, cluster: 'a/b%' },
      ID,
      { ...ID, partition: 10 },
      { ...ID, epoch: 1 },
      { ...ID, pipeline: 'g' },
    ]
    for (const id of ids) {
      await land([0, 5], id)
      await land([6], id)
      await land([1], id)
    }
    const found: LogId[] = []
    for await (const { id, log } of logsOf(store)) {
      expect(log.prefix).toBe(logPrefix(id))
      found.push(id)
    }
    const byPrefix = (a: LogId, b: LogId): number => (logPrefix(a) < logPrefix(b) ? -1 : 1)
    expect(found.sort(byPrefix)).toEqual(ids.sort(byPrefix))
  })

  test('finds none in a lake that has none', async () => {
    await store.put('log/README.md', new Uint8Array())
    await store.put('tables/flights/data/a.parquet', new Uint8Array())
    const found: unknown[] = []
    for await (const log of logsOf(store)) found.push(log)
    expect(found).toEqual([])
  })
})
