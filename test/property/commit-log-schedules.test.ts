import { faultsOf } from '#test/helpers/simulation/faults.ts'
import { World } from '#test/helpers/simulation/world.ts'
test('x', async () => {
  const t = process.cpuUsage()
  for (let seed = 1; seed <= 1000; seed++) { const w = new World(seed); await w.run(); expect(await faultsOf(w)).toEqual([]) }
  const u = process.cpuUsage(t)
  console.log((u.user + u.system) / 1e6)
}, 100000)
