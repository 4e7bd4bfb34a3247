import { append } from '#shared/lake/iceberg/append.ts'
import { entriesOf, manifestsOf, type ReadObject } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot, type Snapshot, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { withLock } from '#shared/lake/iceberg/table-evolution.ts'
import { always, maybe } from '#test/helpers/columns.ts'
import { FIRST_SNAPSHOT_MS, IcebergTable, lockedTable } from '#test/helpers/iceberg-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const COLUMNS = [always('n', 'int32'), maybe('s', 'string')]
const rows = (...numbers: number[]): { n: number; s: string }[] => numbers.map((n) => ({ n, s: `${n % 2}` }))

async function tableOf(properties: Record<string, string> = {}): Promise<IcebergTable> {
  const table = new IcebergTable(new MemoryStore(), lockedTable('t', COLUMNS, { s: 'identity' }))
  await table.create(properties)
  return table
}

const current = (metadata: TableMetadata): Snapshot => {
  const snapshot = currentSnapshot(metadata)
  if (snapshot === undefined) throw new Error('there is no snapshot')
  return snapshot
}
const read =
  (table: IcebergTable): ReadObject =>
  (location) =>
    table.located.read(location)
const manifests = (table: IcebergTable, metadata: TableMetadata): ReturnType<typeof manifestsOf> =>
  manifestsOf(current(metadata), read(table))

test('files become part of a table as a snapshot', async () => {
  const table = await tableOf()
  const metadata = await table.add(rows(1, 2, 3))
  expect(current(metadata)).toMatchObject({
    'sequence-number': 1,
    'timestamp-ms': FIRST_SNAPSHOT_MS + 1000,
    'schema-id': 0,
    summary: { operation: 'append', 'added-data-files': '2', 'total-records': '3', 'changed-partition-count': '2' },
  })
  expect(current(metadata)).not.toHaveProperty('parent-snapshot-id')
  const [manifest, ...others] = await manifests(table, metadata)
  expect(others).toEqual([])
  expect(manifest).toMatchObject({
    sequenceNumber: 1,
    minSequenceNumber: 1,
    addedSnapshotId: current(metadata)['snapshot-id'],
    addedFiles: 2,
    existingFiles: 0,
    addedRows: 3,
    partitions: [{ containsNull: false, containsNan: false, lower: Buffer.from('0'), upper: Buffer.from('1') }],
  })
  const files = await table.liveFiles()
  expect(files.map(({ rows: count, partition }) => [count, partition])).toEqual([
    [2, ['1']],
    [1, ['0']],
  ])
  expect(files.every(({ location }) => location.startsWith('memory:/tables/t/data/s='))).toBe(true)
})

test('the next one keeps the manifests that are there, and the age of their files', async () => {
  const table = await tableOf()
  const first = await table.add(rows(1))
  const second = await table.add(rows(2))
  expect(current(second)['parent-snapshot-id']).toBe(first['current-snapshot-id'])
  expect((await manifests(table, second)).slice(1)).toEqual(await manifests(table, first))
  const files = await table.liveFiles()
  expect(files.map(({ sequenceNumber, snapshotId }) => [sequenceNumber, snapshotId])).toEqual([
    [2, second['current-snapshot-id']],
    [1, first['current-snapshot-id']],
  ])
})

test('small manifests become one when there are enough; every file keeps its snapshot and its age', async () => {
  const table = await tableOf({ 'commit.manifest.min-count-to-merge': '3' })
  const ids = [await table.add(rows(1)), await table.add(rows(2)), await table.add(rows(3))].map(
    (metadata) => metadata['current-snapshot-id'],
  )
  const { metadata } = await table.load()
  const merged = await manifests(table, metadata)
  expect(merged).toMatchObject([
    {
      addedFiles: 1,
      existingFiles: 2,
      deletedFiles: 0,
      addedRows: 1,
      existingRows: 2,
      minSequenceNumber: 1,
      sequenceNumber: 3,
    },
  ])
  const [manifest] = merged
  if (manifest === undefined) throw new Error('there is none')
  const entries = await entriesOf(metadata, manifest, read(table))
  expect(
    entries.map(({ status, snapshotId, sequenceNumber, fileSequenceNumber }) => [
      status,
      snapshotId,
      sequenceNumber,
      fileSequenceNumber,
    ]),
  ).toEqual([
    ['added', ids[2], 3, 3],
    ['existing', ids[1], 2, 2],
    ['existing', ids[0], 1, 1],
  ])
  // What was merged at once was never written.
  const names = await keysOf(table.store, 'tables/t/metadata/inlet-3-')
  expect(names.map((name) => name.slice(name.lastIndexOf('-') + 1)).toSorted()).toEqual(['list.avro', 'm1.avro'])
  // The one after it begins another.
  expect(
    (await manifests(table, await table.add(rows(4)))).map(({ addedFiles, existingFiles }) => [
      addedFiles,
      existingFiles,
    ]),
  ).toEqual([
    [1, 0],
    [1, 2],
  ])
})

test('files of several specs have a manifest each', async () => {
  const table = await tableOf()
  await table.add(rows(1))
  table.table = lockedTable('t', COLUMNS, { n: { bucket: 4 } }, table.table.lock)
  const base = await table.load()
  const evolved = withLock(base.metadata, table.table.lock, FIRST_SNAPSHOT_MS)
  const newFiles = await table.write(rows(5, 6))
  table.table = lockedTable('t', COLUMNS, { s: 'identity' }, table.table.lock)
  const { metadata, objects } = await table.appended(evolved, [...newFiles, ...(await table.write(rows(7)))])
  for (const [location, body] of objects) await table.located.put(location, body)
  const specs = (await manifests(table, metadata)).map(({ spec, addedRows, partitions }) => [
    spec,
    addedRows,
    partitions.length,
  ])
  expect(specs).toEqual([
    [1, 2, 1],
    [0, 1, 1],
    [0, 1, 1],
  ])
  expect(metadata['default-spec-id']).toBe(1)
})

test('an append that lost a race is made again on what the table has become', async () => {
  const table = await tableOf()
  await table.add(rows(1))
  const base = await table.load()
  const files = await table.write(rows(2, 3))
  const lost = await table.appended(base.metadata, files)
  await table.add(rows(4))
  expect(await table.catalog.commit('t', base, lost.metadata)).toBe('conflict')

  const now = await table.load()
  const again = await table.appended(now.metadata, files)
  for (const [location, body] of again.objects) await table.located.put(location, body)
  expect(await table.catalog.commit('t', now, again.metadata)).toBe('committed')
  expect((await table.liveFiles()).reduce((sum, file) => sum + file.rows, 0)).toBe(4)
  expect(current(again.metadata)['sequence-number']).toBe(3)
  expect(current(again.metadata).summary['total-records']).toBe('4')
  // Its objects have names of their own: what the first attempt wrote is not touched.
  const names = new Set(lost.objects.map(([location]) => location))
  expect(again.objects.some(([location]) => names.has(location))).toBe(false)
})

test('no files are a snapshot too, which says what its writer has to say', async () => {
  const table = await tableOf()
  const { metadata: base } = await table.load()
  const change = { files: [], snapshotId: 77n, attempt: 'a', now: 5, summary: { 'inlet.marks': 'm1' } }
  const { metadata, objects } = await append(base, change, read(table))
  expect(objects).toHaveLength(1)
  expect(current(metadata)).toMatchObject({
    'snapshot-id': 77n,
    // Time does not go back.
    'timestamp-ms': FIRST_SNAPSHOT_MS,
    summary: { operation: 'append', 'added-data-files': '0', 'total-records': '0', 'inlet.marks': 'm1' },
  })
})

test('a list that is not there is said to be missing', async () => {
  const table = await tableOf()
  await table.add(rows(1))
  const { metadata } = await table.load()
  await table.store.delete(table.located.keyOf(current(metadata)['manifest-list']))
  await expect(table.appended(metadata, [])).rejects.toThrow('is named by a table, but is not there')
})
