import { type LogStore, logsOf } from '#shared/lake/log-store.ts'
import { pendingEntries } from '#shared/lake/pending-entries.ts'
import { tableOwners } from '#shared/lake/table-owners.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

let store: MemoryStore
let table: LakeTable

beforeEach(async () => {
  store = new MemoryStore()
  table = await LakeTable.applied(store, sensors)
})

const land = (values: readonly string[], partition: number, offset: number): Promise<void> =>
  deliver(store, sensors, sensorEvent(values, partition, offset))
const pending = async (): Promise<number> => pendingEntries(store, table.owner, await table.metadata())

test('what the committer would take is what is pending', async () => {
  expect(await pending()).toBe(0)
  await land([reading(1)], 0, 5)
  await land([reading(2)], 1, 0)
  await land([reading(3)], 0, 2)
  await land([reading(4)], 0, 1)
  expect(await pending()).toBe(4)
  expect(await table.commit()).toMatchObject({ entries: 4 })
  expect(await pending()).toBe(0)
  await land([reading(5)], 0, 3)
  expect(await pending()).toBe(1)
  await table.commit({ limit: 1 })
  expect(await pending()).toBe(0)
})

test('a marker that its writer did not live to follow up, or that was left behind, is none', async () => {
  await land([reading(1)], 0, 5)
  await land([reading(2)], 0, 2)
  await table.commit()
  const logs: LogStore[] = []
  for await (const { log } of logsOf(store)) logs.push(log)
  const [log] = logs
  await log?.putMarker('sensors', { amends: 0, number: 0 })
  await log?.putMarker('sensors', { amends: 0, number: 1 })
  expect(await log?.markers('sensors')).toHaveLength(2)
  expect(await pending()).toBe(0)
})

test('the log of another generation is not the table’s', async () => {
  await deliver(store, { ...sensors, generation: 1 }, sensorEvent([reading(1)]))
  expect(await pending()).toBe(0)
})

test('owners are found by their marks, whatever else lies there', async () => {
  await land([reading(1)], 0, 0)
  await table.commit()
  await LakeTable.applied(store, {
    ...sensors,
    name: 'others',
    generation: 2,
    table: { ...sensors.table, name: 'x_g2' },
  })
  await store.put('marks/README', new Uint8Array())
  const owners: unknown[] = []
  for await (const owner of tableOwners(store)) owners.push(owner)
  expect(owners).toEqual([
    { pipeline: 'others', generation: 2, table: 'x_g2' },
    { pipeline: 'sensors', generation: 0, table: 'sensors' },
  ])
})
