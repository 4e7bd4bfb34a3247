import { listRuns, showRuns } from '#shared/cli/job-runs.ts'
import { explain, followRuns, retryRun, startRun } from '#shared/cli/jobs.ts'
import { jobsPage, roundPage, runsPage, whyPage } from '#shared/cli/jobs-page.ts'
import type { JobsOptions } from '#shared/pipeline/job-options.ts'
import { JobLake, withJobs } from '#test/helpers/job-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'

const JOBS: JobsOptions = {
  compact: { glue: 'compact', when: { partitionComplete: '10 minutes' }, retries: 0 },
  sum: { glue: 'sum', when: { smallFiles: 100 } },
  train: { glue: 'train', when: { every: '1 day' } },
  count: { glue: 'count', when: { rows: 100 } },
}

/** A lake whose fifth of January waits for a partition, with some of it in no snapshot. */
async function prepared() {
  const lake = new JobLake(withJobs(JOBS))
  await lake.apply()
  await lake.land(0, { at: '2026-01-05T10:00:00Z' }, { at: '2026-01-06T00:10:00Z' })
  await lake.land(1, { at: '2026-01-05T11:00:00Z' })
  await lake.commit()
  await lake.land(1, { at: '2026-01-05T12:00:00Z' })
  const runner = new MemoryRunner(false)
  return { lake, runner, pipeline: lake.pipeline, surroundings: lake.surroundings(runner) }
}

test('why: each thing that holds a partition back, and what the other jobs wait for', async () => {
  const { lake, surroundings, pipeline } = await prepared()
  lake.waiting = [{ key: 'aws/lambda/batch', kafkaTime: null }]
  const page = whyPage(await explain(surroundings, pipeline, '2026-01-05'))
  expect(page).toMatch(/^compact for 2026-01-05: is not complete\n/)
  expect(page).toMatch(
    /\n {2}sensors-1 is at 2026-01-05T11:00:00.000Z, and 2026-01-06T00:10:00.000Z is needed \(silent, it holds nothing back from 2\d{3}-.* on\)\n/,
  )
  expect(page).not.toContain('sensors-0')
  expect(page).toContain('\n  1 files of sensors-1 are in no snapshot yet\n')
  expect(page).toContain('\n  a batch that may be of it waits in the failure destination: aws/lambda/batch\n')
  expect(page).toContain('\nsum for 2026-01-05: 2 of 100 have come since the last run\n')
  expect(page).toMatch(/\ntrain for 2.*Z: is due \(run 0\): the next round starts it\n/)
  expect(page).toMatch(/\ncount for table: 3 of 100 have come since the last run$/)
  expect(whyPage(await explain(surroundings, pipeline, '2013-01-01'))).toContain(
    'compact for 2013-01-01: the table has no rows',
  )
  await expect(explain(surroundings, pipeline, '2026-01-05-10')).rejects.toThrow(
    '"2026-01-05-10" names no partition of sensors: its partitions are each a day of at, named as their folders are: 2026-01-31',
  )
  // It has changed nothing.
  expect(await listRuns(surroundings, pipeline, 9)).toEqual([])
})

test('a run is started by hand, shown, and done again when it was given up', async () => {
  const { runner, surroundings, pipeline } = await prepared()
  expect(jobsPage([{ pipeline, runs: [] }])).toMatch(
    /compact +Glue job compact +a partition is complete, and 10 min more/,
  )
  expect(roundPage(await startRun(surroundings, pipeline, 'compact', '2026-01-05'))).toMatch(
    /sensors +compact +2026-01-05 +0 +at work as jr_\d/,
  )
  await expect(startRun(surroundings, pipeline, 'compact', '2026-01-05')).rejects.toThrow(
    'its run for 2026-01-05 is not over',
  )
  await expect(retryRun(surroundings, pipeline, 'compact', '2026-01-05')).rejects.toThrow('is not over')
  expect(whyPage(await explain(surroundings, pipeline, '2026-01-05'))).toContain(
    'compact for 2026-01-05: run 0 is not over',
  )
  runner.end('failed', 'out of\nmemory')
  await followRuns(surroundings, pipeline)
  const shown = runsPage(await showRuns(surroundings, pipeline, 'compact', '2026-01-05'))
  expect(shown).toMatch(/^compact of sensors for 2026-01-05, run 0: gave up\n {2}decided +2.*Z, by inlet jobs start\n/)
  expect(shown).toMatch(/\n {2}attempt 0 +jr_\d, failed at 2.*: out of\\x0amemory\n {2}over /)
  const again = await retryRun(surroundings, pipeline, 'compact', '2026-01-05')
  expect(again).toMatchObject([{ revision: 1, status: { status: 'running' } }])
  runner.end()
  await followRuns(surroundings, pipeline)
  await expect(retryRun(surroundings, pipeline, 'compact', '2026-01-05')).rejects.toThrow('has succeeded')
  const runs = await listRuns(surroundings, pipeline, 9)
  expect(runs.find(({ job }) => job === 'compact')).toMatchObject({
    scope: '2026-01-05',
    revision: 1,
    state: 'succeeded',
  })
  expect(jobsPage([{ pipeline, runs }])).toMatch(/\ncompact +2026-01-05 +1 +succeeded +1 +2/)
})

test('what cannot be started by hand', async () => {
  const { surroundings, pipeline } = await prepared()
  const start = (job: string, partition?: string) => startRun(surroundings, pipeline, job, partition)
  await expect(start('nope')).rejects.toThrow(
    'pipeline sensors has no job "nope"; there are: compact, sum, train, count',
  )
  await expect(start('compact')).rejects.toThrow('compact runs for partitions of sensors: name one')
  await expect(start('compact', '2013-01-01')).rejects.toThrow('sensors has no rows for 2013-01-01')
  await expect(showRuns(surroundings, pipeline, 'compact', '2013-01-01')).rejects.toThrow('has no run for 2013-01-01')
  expect(await start('count')).toMatchObject([{ scope: 'table', status: { status: 'running' } }])
})
