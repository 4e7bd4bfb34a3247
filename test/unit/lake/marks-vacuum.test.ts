import { randomUUID } from 'node:crypto'
import { utimes } from 'node:fs/promises'
import path from 'node:path'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { withProperties } from '#shared/lake/iceberg/table-metadata.ts'
import { vacuumMarks } from '#shared/lake/marks-vacuum.ts'
import { marksKey, marksPrefix } from '#shared/lake/table-marks.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const DAY_MS = 86_400_000
const directory = temporaryDirectory()
let root: string
let store: DirectoryStore
let table: LakeTable

beforeEach(async () => {
  root = directory()
  store = new DirectoryStore(root)
  table = await LakeTable.applied(store, sensors)
  for (const offset of [0, 1, 2]) {
    await deliver(store, sensors, sensorEvent([reading(offset + 1)], 0, offset))
    await table.commit()
  }
})

const IDENTITY = 'marks/sensors/g0/sensors/table.json'

async function marks(): Promise<string[]> {
  return (await keysOf(store, marksPrefix(table.owner))).filter((key) => key !== IDENTITY)
}

/** What a committer has left that lost a race, or died before its version of the table was there. */
async function leave(): Promise<string> {
  const key = marksKey(table.owner, randomUUID())
  await store.put(key, Buffer.from('{}'))
  return key
}

async function age(key: string, days: number): Promise<void> {
  const then = new Date(Date.now() - days * DAY_MS)
  await utimes(path.join(root, key), then, then)
}

async function vacuumed(options = {}): Promise<string[]> {
  const gone = await vacuumMarks(store, table.surroundings.tables, table.owner, options)
  return gone.map(({ key }) => key)
}

test('marks that no version names go when the newest ones are more than a week younger; those of every version stay', async () => {
  const named = await marks()
  expect(named).toHaveLength(4)
  const lost = await leave()
  for (const key of [...named, lost, IDENTITY]) await age(key, 8)
  expect(await vacuumed()).toEqual([])
  const fresh = await leave()
  expect(await vacuumed({ dryRun: true })).toEqual([lost])
  expect(await marks()).toContain(lost)
  expect(await vacuumed()).toEqual([lost])
  expect(await marks()).toEqual([...named, fresh].sort())
  expect(await keysOf(store, IDENTITY)).toHaveLength(1)
  await age(fresh, 6)
  expect(await vacuumed()).toEqual([])
})

test('marks of versions that the table has forgotten go, those of its snapshots stay', async () => {
  const { catalog } = table.surroundings.tables
  const loaded = await catalog.load('sensors')
  if (loaded === undefined) throw new Error('there is no such table')
  const created = (await marks()).filter(
    (key) => !loaded.metadata.snapshots.some(({ summary }) => summary['inlet.marks'] === key),
  )
  expect(created).toHaveLength(1)
  const changed = withProperties(loaded.metadata, { 'write.metadata.previous-versions-max': '1' }, Date.now())
  await catalog.commit('sensors', loaded, changed)
  await deliver(store, sensors, sensorEvent([reading(9)], 0, 3))
  for (const key of await marks()) await age(key, 8)
  await table.commit()
  const before = await marks()
  expect(await vacuumed()).toEqual(created)
  expect(await marks()).toEqual(before.filter((key) => key !== created[0]))
  await deliver(store, sensors, sensorEvent([reading(10)], 0, 4))
  await table.commit()
  expect(await table.files()).toHaveLength(5)
})

test('of a table that the catalog does not have all marks stay', async () => {
  const lost = await leave()
  for (const key of await marks()) await age(key, 8)
  await leave()
  const elsewhere = openCatalog('directory', new DirectoryStore(path.join(root, 'elsewhere')))
  expect(await vacuumMarks(store, elsewhere, table.owner)).toEqual([])
  expect(await marks()).toContain(lost)
})
