import { randomUUID } from 'node:crypto'
import { overwrite, type Overwritten } from '#shared/lake/iceberg/overwrite.ts'
import { newSnapshotId } from '#shared/lake/iceberg/snapshot.ts'
import { entriesOf, manifestsOf } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { always } from '#test/helpers/columns.ts'
import { FIRST_SNAPSHOT_MS, IcebergTable, lockedTable } from '#test/helpers/iceberg-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'

const NOW = FIRST_SNAPSHOT_MS + 1_000_000

/** A table of one file for each number, of which 1 and 2 came with the first snapshot, 3 with the second. */
async function tableOfThree(): Promise<IcebergTable> {
  const table = new IcebergTable(new MemoryStore(), lockedTable('t', [always('n', 'int32')], { n: 'identity' }))
  await table.create()
  await table.add([{ n: 1 }, { n: 2 }])
  await table.add([{ n: 3 }])
  return table
}

const fileOf = async (table: IcebergTable, n: number): Promise<string> => {
  const found = (await table.liveFiles()).find(({ partition }) => partition[0] === n)
  if (found === undefined) throw new Error(`there is no file of ${n}`)
  return found.location
}

const numbersIn = async (table: IcebergTable): Promise<number[]> =>
  (await table.liveFiles()).map(({ partition }) => Number(partition[0])).sort((a, b) => a - b)

/** Overwrites the files of these numbers, and some that are not there, by new ones, and commits it. */
async function overwritten(table: IcebergTable, numbers: readonly number[], gone: readonly string[] = []) {
  const base = await table.load()
  const old = [...(await Promise.all(numbers.map((n) => fileOf(table, n)))), ...gone]
  const files = table.contentOf(base.metadata, await table.write(old.map((_, i) => ({ n: numbers[i] ?? 100 + i }))))
  const replacements = files.map((file, i) => ({ location: old[i] ?? '', file }))
  const identity = { snapshotId: newSnapshotId(base.metadata), attempt: randomUUID(), now: NOW }
  const change = { ...identity, replacements, summary: { by: 'us' } }
  const next = await overwrite(base.metadata, change, (location) => table.located.read(location))
  if (next === undefined) return undefined
  for (const [location, body] of next.objects) await table.located.put(location, body)
  expect(await table.catalog.commit(table.name, base, next.metadata)).toBe('committed')
  return { next, base: base.metadata, replacements }
}

/** What each manifest says: status, partition, snapshot and both ages of its entries. */
async function told(table: IcebergTable, metadata: TableMetadata): Promise<unknown[][][]> {
  const read = (location: string): Promise<Uint8Array> => table.located.read(location)
  const snapshot = currentSnapshot(metadata)
  const manifests = snapshot === undefined ? [] : await manifestsOf(snapshot, read)
  return Promise.all(
    manifests.map(async (manifest) =>
      (await entriesOf(metadata, manifest, read)).map((entry) => [
        entry.status,
        entry.file.partition[0],
        entry.snapshotId,
        entry.sequenceNumber,
        entry.fileSequenceNumber,
      ]),
    ),
  )
}

const idOf = ({ metadata }: Pick<Overwritten, 'metadata'>): bigint | null => metadata['current-snapshot-id'] ?? null

test('a file takes the place of another in one snapshot; the others keep their age, and their manifests', async () => {
  const table = await tableOfThree()
  const [first, second] = (await table.load()).metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])
  const done = await overwritten(table, [1])
  if (done === undefined) throw new Error('nothing was overwritten')
  const { next, base } = done
  expect(next.replaced).toEqual(done.replacements)
  expect(await told(table, next.metadata)).toEqual([
    [['added', 1, idOf(next), 3, 3]],
    [['added', 3, second, 2, 2]],
    [
      ['existing', 2, first, 1, 1],
      ['deleted', 1, idOf(next), 1, 1],
    ],
  ])
  expect(currentSnapshot(next.metadata)).toMatchObject({
    'parent-snapshot-id': base['current-snapshot-id'],
    'sequence-number': 3,
    'timestamp-ms': NOW,
    summary: {
      operation: 'overwrite',
      'added-data-files': '1',
      'deleted-data-files': '1',
      'added-records': '1',
      'deleted-records': '1',
      'changed-partition-count': '1',
      'total-records': '3',
      'total-data-files': '3',
      by: 'us',
    },
  })
  // The list, the manifest of the new file, and the one that named the old file.
  expect(next.objects).toHaveLength(3)
})

test('what an overwrite deleted is not in the manifests of the next one', async () => {
  const table = await tableOfThree()
  await overwritten(table, [1])
  const again = await overwritten(table, [1, 2])
  if (again === undefined) throw new Error('nothing was overwritten')
  const entries = (await told(table, again.next.metadata)).flat()
  expect(entries.filter(([status]) => status === 'deleted').map(([, n, id]) => [n, id])).toEqual([
    [1, idOf(again.next)],
    [2, idOf(again.next)],
  ])
  expect(await numbersIn(table)).toEqual([1, 2, 3])
})

test('a file that is not there any more is not replaced, and nothing is when none is there', async () => {
  const table = await tableOfThree()
  const some = await overwritten(table, [2], ['memory:/tables/t/data/n=1/gone.parquet'])
  expect(some?.next.replaced.map(({ file }) => file.partition)).toEqual([[2]])
  expect(await numbersIn(table)).toEqual([1, 2, 3])
  expect(await overwritten(table, [], ['memory:/tables/t/data/n=1/gone.parquet'])).toBeUndefined()
})

test('a file that somebody else has replaced before is not replaced again', async () => {
  const table = await tableOfThree()
  const old = await fileOf(table, 1)
  await overwritten(table, [1])
  expect(await overwritten(table, [], [old])).toBeUndefined()
})

test('a table without a snapshot has nothing to replace', async () => {
  const table = new IcebergTable(new MemoryStore(), lockedTable('t', [always('n', 'int32')]))
  await table.create()
  expect(await overwritten(table, [], ['memory:/tables/t/data/gone.parquet'])).toBeUndefined()
})
