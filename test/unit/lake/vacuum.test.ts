import { CommitLog, type LandMode } from '#shared/lake/commit-log.ts'
import type { EntryPlace } from '#shared/lake/log-keys.ts'
import { dataFileKey, dataPrefix, type LogId, logDigest, logPrefix } from '#shared/lake/log-keys.ts'
import type { ObjectEntry } from '#shared/lake/object-store.ts'
import { vacuum, type VacuumOptions } from '#shared/lake/vacuum.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { range, recordsAt, writeOffsets } from '#test/helpers/slices.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const ID: LogId = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights', epoch: 0, partition: 0 }

let store: MemoryStore
let files = 0

beforeEach(() => {
  store = new MemoryStore()
})

async function land(
  offsets: readonly number[],
  { id = ID, mode, rejected = [] }: { id?: LogId; mode?: LandMode; rejected?: readonly number[] } = {},
): Promise<void> {
  await new CommitLog(store, id).land(recordsAt(...offsets), writeOffsets(rejected), mode)
}

/** A file as a writer leaves it that died, or lost a race, after it had written for this place. */
async function leave(
  place: EntryPlace,
  { id = ID, table = 'rows', partitionPath = 'day=2013-01-01' } = {},
): Promise<string> {
  const attempt = `00000000-0000-0000-0000-${String(files++).padStart(12, '0')}`
  const file = { table, partitionPath, partition: {}, rows: 1, format: 'parquet' as const, body: new Uint8Array(7) }
  const key = dataFileKey(logPrefix(id), place, attempt, 0, file)
  await store.put(key, file.body)
  return key
}

async function vacuumed(options?: VacuumOptions, table = 'rows'): Promise<ObjectEntry[]> {
  const deleted: ObjectEntry[] = []
  for await (const file of vacuum(store, table, options)) deleted.push(file)
  return deleted
}

describe('deletes a file', () => {
  test('when the commit at its place does not name it', async () => {
    const orphan = await leave({ kind: 'commit', start: 0 })
    await land([0, 1])
    const named = (await keysOf(store, 'tables/')).filter((key) => key !== orphan)
    expect(await vacuumed()).toMatchObject([{ key: orphan, bytes: 7 }])
    expect(await keysOf(store, 'tables/')).toEqual(named)
    expect(await vacuumed()).toEqual([])
  })

  test('when the amendment at its place does not name it', async () => {
    await land([0, 5])
    await land([1])
    await land([2])
    const orphans = [
      await leave({ kind: 'amendment', amends: 0, number: 0 }),
      await leave({ kind: 'amendment', amends: 0, number: 1 }),
    ]
    await leave({ kind: 'amendment', amends: 0, number: 2 })
    expect((await vacuumed()).map(({ key }) => key)).toEqual(orphans)
  })

  test('in every table partition, and in pages', async () => {
    await land([0])
    const orphans: string[] = []
    for (const i of range(1, 2100))
      orphans.push(await leave({ kind: 'commit', start: 0 }, { partitionPath: `origin=${i % 7}` }))
    const deleted = (await vacuumed()).map(({ key }) => key)
    expect(deleted.sort()).toEqual(orphans.sort())
    expect(await keysOf(store, 'tables/')).toHaveLength(1)
  })

  test('and reads the entry of a slice once for all its files', async () => {
    await land([0])
    for (const i of range(1, 24)) await leave({ kind: 'commit', start: 0 }, { partitionPath: `hour=${i}` })
    let reads = 0
    const counting = store.through(async (call, effect) => {
      if (call.operation === 'get') reads += 1
      return effect()
    })
    for await (const file of vacuum(counting, 'rows')) expect(file.bytes).toBe(7)
    expect(reads).toBe(1)
  })
})

describe('leaves a file', () => {
  test.each<[string, EntryPlace]>([
    ['commit', { kind: 'commit', start: 10 }],
    ['amendment of a commit that exists', { kind: 'amendment', amends: 0, number: 0 }],
    ['amendment of a commit that does not exist', { kind: 'amendment', amends: 10, number: 0 }],
    ['commit within another', { kind: 'commit', start: 5 }],
  ])('whose place is free: a %s', async (_, place) => {
    await land(range(0, 9))
    const file = await leave(place)
    expect(await vacuumed()).toEqual([])
    expect(await keysOf(store, 'tables/')).toContain(file)
  })

  test('until its place is taken', async () => {
    await land(range(0, 9))
    const orphan = await leave({ kind: 'commit', start: 10 })
    await land([10])
    expect((await vacuumed()).map(({ key }) => key)).toEqual([orphan])
  })

  test('that its commit or amendment names, in the table of rows and in that of dead letters', async () => {
    await land([0, 1, 5], { rejected: [1] })
    await land([2, 3], { rejected: [3] })
    await land([1, 3], { mode: 'redrive' })
    const before = await keysOf(store, 'tables/')
    expect(before).toHaveLength(5)
    expect([...(await vacuumed()), ...(await vacuumed({}, 'dead_letters'))]).toEqual([])
    expect(await keysOf(store, 'tables/')).toEqual(before)
  })

  test('of a log that has no entry yet, though another has one at that place', async () => {
    await land([0])
    await leave({ kind: 'commit', start: 0 }, { id: { ...ID, partition: 1 } })
    await leave({ kind: 'commit', start: 0 }, { id: { ...ID, epoch: 1 } })
    expect(await vacuumed()).toEqual([])
  })

  test('of another table', async () => {
    const other = await leave({ kind: 'commit', start: 0 }, { table: 'rows2' })
    await land([0])
    expect(await vacuumed()).toEqual([])
    expect((await vacuumed({}, 'rows2')).map(({ key }) => key)).toEqual([other])
  })

  test.each([
    'day=2013-01-01/00000-0-6357e0b2-0e6a-4b86-a0b4-70df934c2e31-00001.parquet',
    'day=2013-01-01/part-00000.snappy.parquet',
    '_SUCCESS',
    'notes.txt',
  ])('that Inlet has not written: %s', async (name) => {
    await land([0])
    await store.put(`${dataPrefix('rows')}${name}`, new Uint8Array(1))
    expect(await vacuumed()).toEqual([])
  })

  test('that is a copy of a named one', async () => {
    await land([0])
    const [named = ''] = await keysOf(store, 'tables/')
    const copy = named.replace('day=2013-01-01', 'copies')
    await store.put(copy, new Uint8Array(1))
    expect(await vacuumed()).toEqual([])
    expect(await keysOf(store, 'tables/')).toContain(copy)
  })

  test('in a dry run, but tells of it', async () => {
    await land([0])
    const orphan = await leave({ kind: 'commit', start: 0 })
    const before = await keysOf(store, '')
    expect(await vacuumed({ dryRun: true })).toMatchObject([{ key: orphan, bytes: 7 }])
    expect(await keysOf(store, '')).toEqual(before)
  })
})

test('an empty lake has nothing to clean', async () => {
  expect(await vacuumed()).toEqual([])
})

test('two logs with files for the same place are told apart', async () => {
  const other = { ...ID, partition: 1 }
  await land([0])
  await land([0], { id: other })
  const orphan = await leave({ kind: 'commit', start: 0 }, { id: other })
  const before = await keysOf(store, 'tables/')
  expect((await vacuumed()).map(({ key }) => key)).toEqual([orphan])
  expect(before).toHaveLength(3)
})

test('of two logs whose digests are the same, neither loses what it names or may yet name', async () => {
  // Found by trying forty million partitions.
  const [a, b] = [
    { ...ID, partition: 18_457_617 },
    { ...ID, partition: 19_982_828 },
  ]
  expect(logDigest(logPrefix(a))).toBe(logDigest(logPrefix(b)))
  await land([0], { id: a })
  await land([1], { id: a })
  await land([0, 1], { id: b })
  // In one of the logs there is no commit 2, nor 1 in the other.
  await land([2], { id: b })
  await leave({ kind: 'commit', start: 2 }, { id: a })
  await leave({ kind: 'commit', start: 1 }, { id: b })
  const orphan = await leave({ kind: 'commit', start: 0 }, { id: b })
  const before = await keysOf(store, 'tables/')
  expect((await vacuumed()).map(({ key }) => key)).toEqual([orphan])
  expect(await keysOf(store, 'tables/')).toEqual(before.filter((key) => key !== orphan))
})
