import { tablesProperties } from '../../../infra/custom-resources.ts'
import { DirectoryCatalog } from '#shared/lake/iceberg/directory-catalog.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { tablesResource } from '#shared/runtimes/tables.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { sensors as declared } from '#test/helpers/sensors.ts'

const sensors = locked(declared)
const NEVER = new AbortController().signal
/** As CloudFormation sends it: numbers are texts. */
const sent = { ...tablesProperties(sensors), Generation: '0', ServiceToken: 'arn' }

function resourceOf(store: MemoryStore) {
  const tables = openCatalog('directory', store)
  expect(tables.catalog).toBeInstanceOf(DirectoryCatalog)
  return { tables, resource: tablesResource(() => ({ store, tables, now: () => 0 })) }
}

test('the tables of a pipeline are made once, and are what its locks say', async () => {
  const { tables, resource } = resourceOf(new MemoryStore())
  const properties = resource.properties.parse(sent)
  expect(resource.idOf(properties)).toBe('iceberg-tables:sensors:0')
  const data = { Tables: 'sensors,sensors_dead_letters' }
  expect(await resource.apply(properties, NEVER)).toEqual(data)
  const made = await tables.catalog.load('sensors')
  expect(made?.metadata['last-column-id']).toBe(sensors.table.lock?.lastColumnId)
  expect(await resource.apply(properties, NEVER)).toEqual(data)
  expect((await tables.catalog.load('sensors'))?.metadata['table-uuid']).toBe(made?.metadata['table-uuid'])
})

test('plain files have no resource; a generation has one of its own', () => {
  expect(tablesProperties(declared)).toBeUndefined()
  const { resource } = resourceOf(new MemoryStore())
  const next = resource.properties.parse(tablesProperties({ ...sensors, generation: 1 }))
  expect(resource.idOf(next)).toBe('iceberg-tables:sensors:1')
})

test('nothing is begun when the time is over; a table that cannot become what is asked for says why', async () => {
  const store = new MemoryStore()
  const { tables, resource } = resourceOf(store)
  const properties = resource.properties.parse(sent)
  await expect(resource.apply(properties, AbortSignal.abort())).rejects.toThrow(/abort/)
  expect(await tables.catalog.load('sensors')).toBeUndefined()
  const broken = { ...properties, Tables: [{ Table: 'sensors', Lock: '{"format":2}' }] }
  await expect(resource.apply(broken, NEVER)).rejects.toThrow(/lake.lock: format/)
})
