import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { provenTables, type SnapshotProof } from '#shared/lake/verify/snapshot-proof.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { deletePositions, rewriteFiles } from '#test/helpers/foreign-snapshots.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

let store: MemoryStore
let table: LakeTable
let replaced: readonly string[] = []

beforeEach(async () => {
  store = new MemoryStore()
  table = await LakeTable.applied(store, sensors)
  for (const offset of [5, 2, 6]) {
    await land(offset)
    await table.commit()
  }
})

const land = (offset: number): Promise<void> => deliver(store, sensors, sensorEvent([reading(offset)], 0, offset))

async function proof(deep = false): Promise<SnapshotProof | undefined> {
  const found: SnapshotProof[] = []
  for await (const one of provenTables(store, openCatalog('directory', store), { deep })) {
    found.push(one.proof)
    replaced = one.replaced
  }
  expect(found).toHaveLength(1)
  return found[0]
}

const faults = async (): Promise<string> => ((await proof())?.faults ?? []).map(({ fault }) => fault).join('\n')

/** What another writer makes of the metadata. */
async function change(edit: (metadata: Awaited<ReturnType<LakeTable['metadata']>>) => object): Promise<void> {
  const base = await table.catalog.load('sensors')
  if (base !== undefined) await table.catalog.commit('sensors', base, { ...base.metadata, ...edit(base.metadata) })
}

test('a table that has what its marks count is proven, and what it has not taken is pending', async () => {
  expect(await proof()).toMatchObject({ files: 3, rows: 3, pending: 0, pendingSince: null, faults: [] })
  await land(9)
  await land(8)
  expect(await proof()).toMatchObject({
    files: 3,
    pending: 2,
    pendingSince: 1_700_000_000_008,
    foreignSnapshots: 0,
    faults: [],
  })
})

test('a compaction by another engine keeps the proof', async () => {
  const before = (await table.files()).map(({ location }) => location.replace('memory:/', ''))
  await rewriteFiles(table)
  expect(await proof()).toMatchObject({ files: 3, rows: 3, foreignSnapshots: 1, faults: [] })
  expect([...replaced].sort()).toEqual(before.sort())

  // It expires its snapshots, and with them the files: what is gone then is no fault of the lake.
  for (const path of replaced) await store.delete(path)
  expect((await verifyLake(store, { deep: true })).faults).toHaveLength(3)
  const isReplaced = (path: string): boolean => replaced.includes(path)
  expect(await verifyLake(store, { deep: true, isReplaced })).toMatchObject({
    faults: [],
    orphans: [],
    checks: { files: 0, replaced: 3 },
  })
})

test('rows that another engine has put together are traced to their records', async () => {
  await land(3)
  await table.commit()
  expect(await proof(true)).toMatchObject({ traced: null })
  await rewriteFiles(table)
  expect(await proof()).toMatchObject({ traced: null, faults: [] })
  expect(await proof(true)).toMatchObject({ rows: 4, traced: 4, faults: [] })
})

test('a row in the place of another is a fault, though their number is right', async () => {
  await rewriteFiles(table)
  const [one, other] = await table.files()
  const { location } = await table.metadata()
  const located = table.surroundings.tables.filesAt(location)
  if (one !== undefined && other !== undefined) await located.put(one.location, await located.read(other.location))
  expect(await proof()).toMatchObject({ faults: [] })
  expect((await proof(true))?.faults.map(({ fault }) => fault)).toEqual([
    expect.stringMatching(/^of partition 0 in epoch 0, row 0 of offset \d is there twice$/),
    'holds rows of 2 records of partition 0 in epoch 0, and the log has written 3',
  ])
})

test('a row that the log does not have, or that cannot be read, is a fault of its file', async () => {
  const elsewhere = await LakeTable.applied(new MemoryStore(), sensors)
  await deliver(elsewhere.surroundings.store, sensors, sensorEvent([reading(1)], 0, 99))
  await elsewhere.commit()
  const [stranger] = await elsewhere.files()
  const body = await elsewhere.surroundings.tables
    .filesAt((await elsewhere.metadata()).location)
    .read(stranger?.location ?? '')
  await rewriteFiles(table)
  const [one, other] = await table.files()
  const located = table.surroundings.tables.filesAt((await table.metadata()).location)
  await located.put(one?.location ?? '', body)
  await located.put(other?.location ?? '', Buffer.from('PAR1'))
  const text = (await proof(true))?.faults.map(({ object, fault }) => `${object}: ${fault}`).join('\n')
  expect(text).toContain('its row 0 is row 0 of offset 99 of partition 0 in epoch 0, which the log does not have')
  expect(text).toMatch(/\.parquet: cannot be read behind row 0: /)
})

test('deletes by another engine are meant', async () => {
  const [file] = await table.files()
  if (file !== undefined) await deletePositions(table, file, [[file.location, 0]])
  expect(await proof()).toMatchObject({ foreignSnapshots: 1, faults: [] })
})

test('a file that the snapshot lost or has twice is a fault', async () => {
  const { snapshots } = await table.metadata()
  const [first] = snapshots
  // Marks of the newest, files of the first: as if a commit had forgotten what was there.
  await change((metadata) => ({
    snapshots: metadata.snapshots.map((one) =>
      one === metadata.snapshots.at(-1) ? { ...one, 'manifest-list': first?.['manifest-list'] } : one,
    ),
  }))
  expect((await faults()).split('\n')).toEqual([
    'is not in the snapshot of sensors, whose marks count it',
    'is not in the snapshot of sensors, whose marks count it',
  ])
})

test('a file that the marks do not count is a fault', async () => {
  const { snapshots } = await table.metadata()
  await change(() => ({ properties: { 'inlet.marks': snapshots[0]?.summary['inlet.marks'] ?? '' } }))
  expect((await faults()).split('\n')).toEqual([
    'is in the snapshot of sensors, but its marks do not count it',
    'is in the snapshot of sensors, but its marks do not count it',
  ])
})

test('a table that is gone, or was rolled back by something else, is a fault', async () => {
  const { snapshots } = await table.metadata()
  const first = snapshots[0]?.['snapshot-id'] ?? 0n
  await change(() => ({ 'current-snapshot-id': first, refs: { main: { 'snapshot-id': first, type: 'branch' } } }))
  expect(await faults()).toContain('has rolled it back')
  for (const key of await keysOf(store, 'tables/sensors/metadata/')) await store.delete(key)
  expect(await faults()).toBe('the catalog does not have this table any more')
})
