import { setTimeout as sleep } from 'node:timers/promises'
import { TableCommits } from '#shared/runtimes/container-tables.ts'

function commits(everyMs: number, commit?: () => Promise<void>) {
  const told: string[] = []
  const work = async (): Promise<void> => {
    told.push('commit')
    await commit?.()
  }
  return { told, tables: new TableCommits(work, everyMs, (error) => void told.push(String(error))) }
}

test('one commit of the tables for many of the log', async () => {
  const { told, tables } = commits(20)
  for (let i = 0; i < 5; i++) tables.landed()
  expect(told).toEqual([])
  while (told.length === 0) await sleep(5)
  await sleep(40)
  expect(told).toEqual(['commit'])
})

test('commits follow one another: what lands during one is for the next', async () => {
  let [running, most] = [0, 0]
  const { told, tables } = commits(0, async () => {
    running += 1
    most = Math.max(most, running)
    await sleep(20)
    running -= 1
  })
  for (let i = 0; i < 10; i++) {
    tables.landed()
    await sleep(5)
  }
  await tables.finish()
  expect(most).toBe(1)
  expect(running).toBe(0)
  // Ten at 5 ms, and a commit takes 20 ms: many share one. The last is that of the end.
  expect(told.length).toBeGreaterThanOrEqual(2)
  expect(told.length).toBeLessThan(10)
})

test('the end brings in what has landed, also what others have left, and waits for no time', async () => {
  const { told, tables } = commits(3_600_000)
  tables.landed()
  await tables.finish()
  expect(told).toEqual(['commit'])
  const { told: idle, tables: nothing } = commits(3_600_000)
  await nothing.finish()
  expect(idle).toEqual(['commit'])
})

test('a commit that fails is told, and the next one is tried', async () => {
  const { told, tables } = commits(1, () => Promise.reject(new Error('contended')))
  tables.landed()
  while (told.length < 2) await sleep(5)
  await tables.finish()
  expect(told).toEqual(['commit', 'Error: contended', 'commit', 'Error: contended'])
})

test('without a catalog nothing is done', async () => {
  const tables = new TableCommits(undefined, 1, () => {})
  tables.landed()
  await expect(tables.finish()).resolves.toBeUndefined()
})
