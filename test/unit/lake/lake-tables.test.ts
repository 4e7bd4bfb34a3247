import { deliver } from '#test/helpers/deliveries.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

test('two that make a table at once, one of them held up before any of its calls: one makes it, both are content', async () => {
  const most = 40
  for (let held = 0; held < most; held++) {
    const store = new MemoryStore()
    const other = new LakeTable(store, sensors)
    const outcomes: string[] = []
    let calls = 0
    const late = store.through(async (_call, effect) => {
      if (calls++ === held) outcomes.push(await other.apply())
      return effect()
    })
    outcomes.push(await new LakeTable(late, sensors).apply())
    if (calls <= held) return
    expect(outcomes.sort()).toEqual(['created', 'unchanged'])
    await deliver(store, sensors, sensorEvent([reading(1)]))
    expect(await other.commit()).toMatchObject({ rows: 1 })
  }
  throw new Error(`it makes ${most} calls`)
})
