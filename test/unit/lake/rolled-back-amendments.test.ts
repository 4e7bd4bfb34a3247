import { adoptTable, rollbackTable } from '#shared/lake/lake-tables.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

/** Two commits, each with an amendment that came later: four snapshots. */
async function filledTable(): Promise<LakeTable> {
  const store = new MemoryStore()
  const table = await LakeTable.applied(store, sensors)
  for (const offset of [9, 2, 19, 12]) {
    await deliver(store, sensors, sensorEvent([reading(1)], 0, offset))
    await table.commit()
  }
  return table
}

// The markers that led to the amendments are released by then.
test.each([0, 1, 2])('a roll-back to snapshot %i of four: amendments come in again', async (to) => {
  const table = await filledTable()
  const { snapshots } = await table.metadata()
  await rollbackTable(table.surroundings, table.owner, String(snapshots[to]?.['snapshot-id']))
  await table.commit()
  const files = (await table.files()).map(({ location }) => location)
  expect(new Set(files).size).toBe(4)
  expect(files).toHaveLength(4)
})

test.each(['adopted', 'made anew'])('a table that is %s takes amendments whose markers are gone', async (how) => {
  const table = await filledTable()
  const { store } = table.surroundings
  for (const key of await keysOf(store, 'tables/sensors/metadata/')) await store.delete(key)
  await table.apply(undefined, { anew: true })
  if (how === 'adopted') await adoptTable(table.surroundings, table.owner)
  await table.commit()
  expect(await table.files()).toHaveLength(4)
  expect(await table.commit()).toMatchObject({ entries: 0 })
})
