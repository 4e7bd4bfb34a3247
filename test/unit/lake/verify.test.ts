import { setImmediate as settled } from 'node:timers/promises'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { beginEpoch } from '#shared/lake/epochs.ts'
import { decodeEntry, encodeEntry, entryOf, type LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, commitKey, epochKey, type LogId, logPrefix, MAX_OFFSET } from '#shared/lake/log-keys.ts'
import { type Verification, verifyLake } from '#shared/lake/verify.ts'
import type { DataFile, WriteSlice } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { range, recordsAt } from '#test/helpers/slices.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

// What its data files hold is verified in `verify-json-lines.test.ts`, and under damage in `test/property`.
const TOPIC = { pipeline: 'flights', generation: 0, cluster: 'demo', topic: 'flights' }
const LOG: LogId = { ...TOPIC, epoch: 0, partition: 0 }

const logOf = (store: MemoryStore, changes: Partial<LogId> = {}): CommitLog =>
  new CommitLog(store, { ...LOG, ...changes })
const verify = (store: MemoryStore): Promise<Verification> => verifyLake(store, { deep: false })

/** Lands offsets, some of which are rejected. */
async function land(
  log: CommitLog,
  offsets: readonly number[],
  rejected: readonly number[] = [],
  mode: 'deliver' | 'redrive' = 'deliver',
): Promise<void> {
  const write: WriteSlice = async (records, attempt) => {
    const refused = records.map(({ offset }) => offset).filter((offset) => rejected.includes(offset))
    const written = records.length - refused.length
    const files: DataFile[] = []
    for (const [table, rows] of [
      ['flights', written],
      ['flights_dead_letters', refused.length],
    ] as const) {
      const body = Buffer.alloc(rows)
      const file = { table, partitionPath: '', partition: {}, rows, format: 'parquet', body, locked: null } as const
      if (rows > 0) files.push(await attempt.writeFile(file))
    }
    const counts = { records: records.length, written, skipped: 0, rejected: refused.length, rows: written }
    return { files, rejected: refused, counts, pipelineVersion: '', schemaId: '', specId: '', watermark: null }
  }
  await log.land(recordsAt(...offsets), write, mode)
}

test('dead letters: open, resolved later, and rejected again', async () => {
  const store = new MemoryStore()
  const log = logOf(store)
  await land(log, range(0, 9), [2, 3, 4, 5])
  await land(log, [2, 3], [3], 'redrive')
  await land(log, [3, 4], [4], 'redrive')
  const proof = await verify(store)
  expect(proof).toMatchObject({ faults: [], commits: 1, amendments: 2, resolvedDeadLetters: 2, gaps: 0 })
  // Offsets 4 and 5 are still rejected, by the last that was said of them.
  expect(proof.counts).toEqual({ records: 10, written: 8, skipped: 0, rejected: 2, rows: 8 })
})

test('gaps, and those that were filled', async () => {
  const store = new MemoryStore()
  const log = logOf(store)
  await land(log, [...range(3, 5), 8, 9])
  await land(log, [0, 6])
  expect(await verify(store)).toMatchObject({ faults: [], gaps: 3, offsets: [0, 9], counts: { records: 7 } })
})

test('a line for each life of the offsets of a topic, as each generation of a pipeline reads it', async () => {
  const store = new MemoryStore()
  await land(logOf(store), range(0, 4), [0])
  await land(logOf(store, { partition: 1 }), range(5, 6))
  await beginEpoch(store, TOPIC, 0)
  await land(logOf(store, { epoch: 1 }), range(0, 2))
  await land(logOf(store, { generation: 1 }), [0])
  const { groups, logs, faults, commits, gaps } = await verify(store)
  expect(faults).toEqual([])
  expect(groups).toMatchObject([
    { ...TOPIC, epoch: 0, partitions: 2, sealed: 2, offsets: [0, 6], counts: { records: 7, rejected: 1 }, gaps: 5 },
    { ...TOPIC, epoch: 1, partitions: 1, sealed: 0, offsets: [0, 2], counts: { records: 3 }, gaps: 0 },
    { ...TOPIC, generation: 1, epoch: 0, partitions: 1, sealed: 0, offsets: [0, 0], counts: { records: 1 } },
  ])
  expect({ logs, commits, gaps }).toEqual({ logs: 4, commits: 4, gaps: 5 })
})

describe('a seal', () => {
  let store: MemoryStore
  beforeEach(async () => {
    store = new MemoryStore()
    await land(logOf(store), range(0, 4))
    await beginEpoch(store, TOPIC, 0)
  })

  test('ends a log; what it reaches over is no gap', async () => {
    expect(await verify(store)).toMatchObject({ faults: [], gaps: 0, groups: [{ sealed: 1, offsets: [0, 4] }] })
  })

  test('may be amended: what was discarded is found after the epoch has ended', async () => {
    await land(logOf(store), [7, 8], [8], 'redrive')
    expect(await verify(store)).toMatchObject({
      faults: [],
      amendments: 1,
      gaps: 0,
      offsets: [0, 8],
      counts: { records: 7 },
    })
  })

  test('is not followed by a commit', async () => {
    const prefix = logPrefix(LOG)
    const place = { kind: 'commit', start: 6 } as const
    const [record] = recordsAt(6)
    const counts = { records: 1, written: 0, skipped: 1, rejected: 0, rows: 0 }
    const content = { files: [], rejected: [], counts, pipelineVersion: '', schemaId: '', specId: '', watermark: null }
    await store.put(
      commitKey(prefix, 6),
      encodeEntry(entryOf(place, record === undefined ? [] : [record], content, 'a')),
    )
    expect((await verify(store)).faults).toEqual([
      { object: commitKey(prefix, 5), fault: 'is a seal, but commits follow' },
    ])
  })

  test('that ends too soon, or covers something, is none', async () => {
    const key = commitKey(logPrefix(LOG), 5)
    const seal = decodeEntry(key, (await store.get(key)) as Uint8Array)
    const put = (changes: Partial<LogEntry>): Promise<void> => store.put(key, encodeEntry({ ...seal, ...changes }))
    const fault = { object: key, fault: expect.stringContaining('a seal covers nothing and ends at') }
    await put({ end: MAX_OFFSET - 2 })
    expect((await verify(store)).faults).toEqual([fault])
    await put({ covered: [[5, 5]], counts: { ...seal.counts, records: 1, skipped: 1 } })
    expect((await verify(store)).faults).toEqual([fault])
  })

  test('without the object that begins the next epoch, the commits of that are not looked into', async () => {
    await land(logOf(store, { epoch: 1 }), [0])
    expect((await verify(store)).faults).toEqual([])
    const key = epochKey(TOPIC, 1)
    await store.delete(key)
    expect((await verify(store)).faults).toEqual([{ object: key, fault: 'is missing, but epoch 1 has commits' }])
  })
})

test('a log that is only partly sealed is told', async () => {
  const store = new MemoryStore()
  await land(logOf(store), [0])
  await land(logOf(store, { partition: 1 }), [0])
  await logOf(store).seal()
  expect((await verify(store)).groups).toMatchObject([{ partitions: 2, sealed: 1 }])
})

test('an entry that cannot be read does not hide what else is wrong', async () => {
  const store = new MemoryStore()
  const log = logOf(store)
  for (const start of [0, 5, 10]) await land(log, range(start, start + 4))
  const [file] = await keysOf(store, 'tables/')
  await store.delete(file as string)
  const broken = commitKey(logPrefix(LOG), 5)
  await store.put(broken, Buffer.from('{"format":1}'))
  const { faults, commits } = await verify(store)
  expect(commits).toBe(2)
  expect(faults).toEqual(
    expect.arrayContaining([
      { object: file, fault: expect.stringMatching(/^is missing \(named by/) },
      { object: broken, fault: expect.stringMatching(/^kind: /) },
      { object: `${logPrefix(LOG)}commits/`, fault: 'the chain has a hole: no commit covers the offsets 5…9' },
    ]),
  )
})

test('a key that no store would take is told, and not asked for', async () => {
  const store = new MemoryStore()
  await land(logOf(store), [0])
  const key = commitKey(logPrefix(LOG), 0)
  const entry = decodeEntry(key, (await store.get(key)) as Uint8Array)
  const [file] = entry.files
  const files =
    file === undefined ? [] : [{ ...file, table: '..', path: file.path.replace('tables/flights', 'tables/..') }]
  await store.put(key, encodeEntry({ ...entry, files }))
  expect((await verify(store)).faults).toMatchObject([
    { fault: expect.stringMatching(/^is no key: it has an empty, "\."/) },
  ])
})

describe('an entry that contradicts itself', () => {
  let store: MemoryStore
  const change = async (key: string, changes: (entry: LogEntry) => Partial<LogEntry>): Promise<void> => {
    const entry = decodeEntry(key, (await store.get(key)) as Uint8Array)
    await store.put(key, encodeEntry({ ...entry, ...changes(entry) }))
  }
  beforeEach(async () => {
    store = new MemoryStore()
    await land(logOf(store), [0, 1, 4, 5], [4, 5])
    await land(logOf(store), [2, 3])
    await land(logOf(store, { partition: 1 }), [0])
  })

  test('names the file of another log, which was written for the same place', async () => {
    const [other, own] = [1, 0].map((partition) => commitKey(logPrefix({ ...LOG, partition }), 0)) as [string, string]
    const { files } = decodeEntry(other, (await store.get(other)) as Uint8Array)
    await change(own, (entry) => ({ files: [...entry.files, ...files] }))
    const fault = `was written for another log (named by ${own})`
    expect((await verify(store)).faults).toContainEqual({ object: files[0]?.path, fault })
  })

  test('rejects an offset twice', async () => {
    const key = commitKey(logPrefix(LOG), 0)
    await change(key, () => ({
      rejected: [
        [4, 4],
        [4, 4],
      ],
    }))
    expect((await verify(store)).faults).toEqual([{ object: key, fault: 'rejects an offset twice' }])
  })

  test('is an amendment by its key, and says that it is a commit', async () => {
    const key = amendmentKey(logPrefix(LOG), 0, 0)
    await change(key, () => ({ kind: 'commit' }))
    const fault = `holds the commit of ${key}: the commit log was changed by something else`
    expect((await verify(store)).faults).toEqual([{ object: key, fault }])
  })

  test('amends from another offset than its first', async () => {
    const key = amendmentKey(logPrefix(LOG), 0, 0)
    await change(key, () => ({ start: 1 }))
    expect((await verify(store)).faults).toEqual([
      { object: key, fault: 'its first covered offset is 2, not its start 1' },
    ])
  })
})

test('while writers are at work: what they write behind the listings is no fault and no orphan', async () => {
  const store = new MemoryStore()
  const log = logOf(store)
  await land(log, range(0, 4))
  let listings = 0
  const watched = store.through(async ({ operation }, effect) => {
    // Between the listing of the files and that of the logs.
    if (operation === 'list' && ++listings === 2) await land(log, range(5, 9))
    return effect()
  })
  expect(await verifyLake(watched, { deep: false })).toMatchObject({ commits: 2, faults: [], orphans: [] })
})

test('a store that fails is an error, and no fault of the lake', async () => {
  const store = new MemoryStore()
  await land(logOf(store), range(0, 4))
  const denied = store.through(async ({ operation }, effect) => {
    if (operation === 'get') throw new InletError('STORE_DENIED', 'no permission')
    return effect()
  })
  await expect(verifyLake(denied, { deep: false })).rejects.toThrow('no permission')
})

test('one call for each entry and two listings, however long the logs are; some entries at a time', async () => {
  const store = new MemoryStore(100_000)
  for (const partition of [0, 1, 2]) {
    const log = logOf(store, { partition })
    for (let start = 0; start < 150; start += 3) await land(log, [start, start + 2])
    for (let start = 0; start < 30; start += 3) await land(log, [start + 1])
  }
  const calls = { list: 0, get: 0, size: 0 }
  let [atATime, most] = [0, 0]
  const watched = store.through(async ({ operation }, effect) => {
    calls[operation as keyof typeof calls] += 1
    most = Math.max(most, ++atATime)
    await settled()
    atATime -= 1
    return effect()
  })
  const files: number[] = []
  const options = { deep: false, onFiles: (total: number) => files.push(total), onFile: () => files.push(-1) }
  expect(await verifyLake(watched, options)).toMatchObject({ commits: 150, amendments: 30, faults: [] })
  expect(calls).toEqual({ list: 2, get: 180, size: 0 })
  expect(files).toEqual([180, ...Array.from({ length: 180 }, () => -1)])
  expect(most).toBeGreaterThan(8)
  expect(most).toBeLessThanOrEqual(16 * 4)
})
