import { expireSnapshots } from '#shared/lake/iceberg/retention.ts'
import { vacuumMetadata } from '#shared/lake/iceberg/vacuum-metadata.ts'
import { always } from '#test/helpers/columns.ts'
import { FIRST_SNAPSHOT_MS, IcebergTable, lockedTable } from '#test/helpers/iceberg-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const rows = (...numbers: number[]): { n: number }[] => numbers.map((n) => ({ n }))

async function tableOf(): Promise<IcebergTable> {
  const table = new IcebergTable(new MemoryStore(), lockedTable('t', [always('n', 'int32')]))
  await table.create({ 'commit.manifest.min-count-to-merge': '3' })
  return table
}

async function vacuumed(table: IcebergTable, options = {}): Promise<string[]> {
  const { metadata } = await table.load()
  const gone: string[] = []
  for await (const { key } of vacuumMetadata(table.store, table.located, metadata, options)) gone.push(key)
  return gone
}

const keys = ({ store }: IcebergTable): Promise<string[]> => keysOf(store, 'tables/t/')

const sequences = (names: readonly string[]): number[] => names.map((name) => Number(/inlet-(\d+)-/.exec(name)?.[1]))

test('what snapshots lead to stays', async () => {
  const table = await tableOf()
  for (const n of [1, 2, 3, 4]) await table.add(rows(n))
  expect(await vacuumed(table)).toEqual([])
  expect(await table.liveFiles()).toHaveLength(4)
})

test('what only expired snapshots led to goes', async () => {
  const table = await tableOf()
  for (const n of [1, 2, 3, 4]) await table.add(rows(n))
  const base = await table.load()
  const kept = expireSnapshots(base.metadata, FIRST_SNAPSHOT_MS + 10 * 86_400_000)
  expect(await table.catalog.commit('t', base, kept)).toBe('committed')

  const found = await vacuumed(table, { dryRun: true })
  // The lists of the first three, and the manifests of the first two, which the third has merged.
  expect(sequences(found)).toEqual([1, 1, 2, 2, 3])
  const before = await keys(table)
  expect(await vacuumed(table)).toEqual(found)
  expect(await keys(table)).toEqual(before.filter((key) => !found.includes(key)))
  expect((await table.liveFiles()).reduce((sum, file) => sum + file.rows, 0)).toBe(4)
  expect(await vacuumed(table)).toEqual([])
})

test('what a commit that lost its race has written goes, and what one may still commit stays', async () => {
  const table = await tableOf()
  await table.add(rows(1))
  const base = await table.load()
  const files = await table.write(rows(2))
  const lost = await table.appended(base.metadata, files)
  for (const [location, body] of lost.objects) await table.located.put(location, body)
  // As long as the table has not got there, it may.
  expect(await vacuumed(table)).toEqual([])
  await table.add(rows(3))
  expect((await vacuumed(table)).toSorted()).toEqual(
    lost.objects.map(([location]) => table.located.keyOf(location)).toSorted(),
  )
  expect(await table.liveFiles()).toHaveLength(2)
})

test('what other writers have there is none of its business', async () => {
  const table = await tableOf()
  await table.add(rows(1))
  const others = [
    'tables/t/metadata/snap-1-1-0f8fad5b-d9cb-469f-a165-70867728950e.avro',
    'tables/t/metadata/0f8fad5b-d9cb-469f-a165-70867728950e-m0.avro',
    'tables/t/metadata/inlet-1-0f8fad5b-d9cb-469f-a165-70867728950e-m0.avro.bak',
    'tables/t/metadata/00001-0f8fad5b-d9cb-469f-a165-70867728950e.metadata.json',
    'tables/t/data/metadata/inlet-0-0f8fad5b-d9cb-469f-a165-70867728950e-m0.avro',
  ]
  for (const key of others) await table.store.put(key, Buffer.of(1))
  expect(await vacuumed(table)).toEqual([])
})
