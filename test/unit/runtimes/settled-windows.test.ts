import { rollbackTable } from '#shared/lake/lake-tables.ts'
import type { JobsOptions } from '#shared/pipeline/job-options.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { readMemory } from '#shared/runtimes/job-memory.ts'
import { explain, startRun } from '#shared/cli/jobs.ts'
import { JobLake, withJobs } from '#test/helpers/job-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'
import type { MemoryStore } from '#test/helpers/memory-store.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const HOUR = 3_600_000
const ID = { pipeline: 'sensors', generation: 0 }
const JOBS: JobsOptions = {
  compact: { glue: 'compact', when: { partitionComplete: '10 minutes' }, late: 'rerun after 2 rows' },
  sum: { glue: 'sum', when: { partitionComplete: '1 hour' }, late: 'ignore' },
  tidy: { glue: 'tidy', when: { smallFiles: 3 } },
  count: { glue: 'count', when: { rows: 7 } },
}
const dayOf = (day: number): string => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10)

async function emptyLake(pipeline: Pipeline = withJobs(JOBS)): Promise<JobLake> {
  const lake = new JobLake(pipeline)
  await lake.apply()
  return lake
}

/** Rounds until nothing is started any more. */
async function settle(lake: JobLake, runner: MemoryRunner, windows?: number): Promise<void> {
  for (let before = -1; before < runner.runs.length; ) {
    before = runner.runs.length
    await lake.round(runner, lake.store, windows === undefined ? {} : { windows })
    runner.end()
    await lake.round(runner, lake.store, windows === undefined ? {} : { windows })
  }
}

const startedIn = (runner: MemoryRunner): string[] => runner.runs.map(({ order }) => order.identity).sort()
const rememberedIn = async (lake: JobLake): Promise<string[]> =>
  Object.keys((await readMemory(lake.store, ID))?.progress.windows ?? {}).sort()

test('whatever is put away, the jobs run as if all was remembered', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = new Random(seed)
    const upTo = (n: number): number => random.between(0, n - 1)
    const [all, few] = [await emptyLake(), await emptyLake()]
    const runners = [new MemoryRunner(true), new MemoryRunner(true)] as const
    for (let step = 0; step < 16; step++) {
      const readings = Array.from({ length: 1 + upTo(2) }, () => ({
        at: `${dayOf(upTo(2) === 0 ? step : upTo(step + 1))}T0${upTo(10)}:00:00Z`,
        timestamp: `${dayOf(step)}T12:00:00Z`,
      }))
      const partition = upTo(2)
      for (const lake of [all, few]) {
        await lake.land(partition, ...readings)
        lake.later = step * HOUR
        await lake.commit()
      }
      const isLost = upTo(8) === 0
      if (isLost) for (const key of await keysOf(few.store, 'jobs/sensors/g0/windows/')) await few.store.delete(key)
      await settle(all, runners[0])
      await settle(few, runners[1], upTo(3))
      expect([seed, step, startedIn(runners[1])]).toEqual([seed, step, startedIn(runners[0])])
    }
    expect((await rememberedIn(few)).length).toBeLessThan((await rememberedIn(all)).length)
  }
})

/** A lake of ten days whose jobs have run, of which all but the last two are put away. */
async function putAway(pipeline?: Pipeline): Promise<{ lake: JobLake; runner: MemoryRunner }> {
  const lake = await emptyLake(pipeline)
  for (let day = 0; day < 10; day++) await lake.land(0, { at: `${dayOf(day)}T10:00:00Z` })
  await lake.commit()
  lake.later = HOUR
  const runner = new MemoryRunner(true)
  await settle(lake, runner, 4)
  return { lake, runner }
}

const COMPACT: JobsOptions = {
  compact: { glue: 'compact', when: { partitionComplete: '10 minutes' }, concurrency: 99 },
}

test('what is remembered does not grow with the windows, and no window is started twice', async () => {
  const { lake, runner } = await putAway(withJobs(COMPACT))
  expect(runner.runs).toHaveLength(10)
  expect((await rememberedIn(lake)).length).toBeLessThanOrEqual(4)
  await settle(lake, runner, 4)
  expect(runner.runs).toHaveLength(10)
  // One row comes late into a window that was put away: one run more.
  await lake.land(0, { at: `${dayOf(0)}T11:00:00Z` })
  await lake.commit()
  await settle(lake, runner, 4)
  expect(startedIn(runner)).toHaveLength(11)
  expect(startedIn(runner)[1]).toMatch(/\/compact\/2026-01-01\/r1\/a0$/)
})

test('a round reads what was put away only when rows come into a window that it does not know', async () => {
  const { lake, runner } = await putAway(withJobs(COMPACT))
  const reads: string[] = []
  const store = (lake.store as MemoryStore).through(async (call, effect) => {
    if (call.operation === 'get' && call.key.includes('/windows/')) reads.push(call.key)
    return effect()
  })
  await lake.land(0, { at: `${dayOf(9)}T11:00:00Z` })
  await lake.commit()
  await lake.round(runner, store, { windows: 4 })
  expect(reads).toHaveLength(0)
  await lake.land(0, { at: `${dayOf(1)}T11:00:00Z` })
  await lake.commit()
  await lake.round(runner, store, { windows: 9 })
  expect(reads).toHaveLength(1)
})

test('a job that is declared later runs for the windows that were put away, too', async () => {
  const { lake } = await putAway(withJobs(COMPACT))
  const sum = { glue: 'sum', when: { partitionComplete: '10 minutes' }, concurrency: 99 } as const
  const more = new JobLake(withJobs({ ...COMPACT, sum }), lake.store)
  more.later = HOUR
  const runner = new MemoryRunner(true)
  await settle(more, runner, 4)
  expect(runner.runs).toHaveLength(10)
  expect(new Set(runner.runs.map(({ order }) => order.target))).toEqual(new Set([{ kind: 'glue', job: 'sum' }]))
  expect((await rememberedIn(more)).length).toBeLessThanOrEqual(4)
})

test('by hand a window that was put away is shown and started like any', async () => {
  const { lake, runner } = await putAway(withJobs(COMPACT))
  const surroundings = lake.surroundings(runner)
  expect(await explain(surroundings, lake.pipeline, dayOf(0))).toMatchObject([{ verdict: { verdict: 'done' } }])
  await startRun(surroundings, lake.pipeline, 'compact', dayOf(0))
  expect(runner.runs.at(-1)?.order.arguments.partition).toBe(dayOf(0))
})

test('of a table that was rolled back what was put away is counted anew, and once', async () => {
  const lake = await emptyLake(withJobs({ compact: { ...COMPACT['compact'], late: 'rerun' } as JobsOptions[string] }))
  await lake.land(0, { at: `${dayOf(0)}T10:00:00Z` })
  await lake.commit()
  const surroundings = lake.surroundings(new MemoryRunner(true))
  const table = await surroundings.tables.catalog.load('sensors')
  const first = String(table?.metadata['current-snapshot-id'])
  for (let day = 0; day < 10; day++) await lake.land(0, { at: `${dayOf(day)}T11:00:00Z` })
  await lake.commit()
  lake.later = HOUR
  const runner = new MemoryRunner(true)
  await settle(lake, runner, 4)
  expect(runner.runs).toHaveLength(10)
  await rollbackTable(surroundings, { ...ID, table: 'sensors' }, first)
  await settle(lake, runner, 4)
  expect(runner.runs).toHaveLength(10)
  await lake.commit()
  await settle(lake, runner, 4)
  expect(runner.runs).toHaveLength(10)
})

test('archives that no memory names any more are deleted, after a day', async () => {
  const { lake, runner } = await putAway(withJobs(COMPACT))
  const before = await keysOf(lake.store, 'jobs/sensors/g0/windows/')
  lake.later = 50 * HOUR
  for (let day = 10; day < 18; day++) await lake.land(0, { at: `${dayOf(day)}T10:00:00Z` })
  await lake.commit()
  await settle(lake, runner, 4)
  lake.later = 100 * HOUR
  for (let day = 18; day < 26; day++) await lake.land(0, { at: `${dayOf(day)}T10:00:00Z` })
  await lake.commit()
  await settle(lake, runner, 4)
  const after = await keysOf(lake.store, 'jobs/sensors/g0/windows/')
  expect(before.length).toBeGreaterThan(0)
  expect(before.filter((key) => after.includes(key))).toEqual([])
  expect(runner.runs).toHaveLength(26)
})
