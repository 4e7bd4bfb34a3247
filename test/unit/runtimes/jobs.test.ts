import type { Context } from 'aws-lambda'
import type { JobsOptions } from '#shared/pipeline/job-options.ts'
import { defineTrigger } from '#shared/pipeline/trigger.ts'
import type { RunReport } from '#shared/runtimes/job-round.ts'
import { jobsHandler, type JobTelemetry, waitingOf } from '#shared/runtimes/jobs.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { JobLake, withJobs } from '#test/helpers/job-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

const JOBS: JobsOptions = { count: { glue: 'count', when: { rows: 2 } } }
const context = (remaining = 60_000): Context => ({ getRemainingTimeInMillis: () => remaining }) as Context

async function prepared() {
  const lake = new JobLake(withJobs(JOBS))
  await lake.apply()
  await lake.land(0, { at: '2026-01-05T10:00:00Z' }, { at: '2026-01-05T10:10:00Z' })
  await lake.commit()
  const [told, failures]: [RunReport[], object[]] = [[], []]
  const telemetry: JobTelemetry = {
    begin() {},
    run: (report) => void told.push(report),
    failure: (of, error) => void failures.push({ ...of, error: String(error) }),
    end() {},
  }
  const runner = new MemoryRunner(false)
  return { lake, runner, told, failures, surroundings: { ...lake.surroundings(runner), telemetry } }
}

test('what is due is started, whatever the function is called with', async () => {
  const { lake, runner, told, surroundings } = await prepared()
  const handler = jobsHandler([lake.pipeline], surroundings)
  const { runs } = await handler({ 'detail-type': 'Glue Job State Change' }, context())
  expect(runs).toMatchObject([{ pipeline: 'sensors', job: 'count', isNew: true }])
  expect(told).toEqual(runs)
  expect(runner.runs).toHaveLength(1)
})

test('with no time left nothing is begun', async () => {
  const { lake, runner, surroundings } = await prepared()
  expect(await jobsHandler([lake.pipeline], surroundings)({}, context(500))).toEqual({ runs: [] })
  expect(runner.runs).toEqual([])
})

test('a pipeline that cannot be seen to does not keep the others from their jobs', async () => {
  const { lake, runner, failures, surroundings } = await prepared()
  // Its failure destination cannot be opened.
  const other = { ...lake.pipeline, name: 'other', trigger: defineTrigger({ failureDestination: 's3://given-up' }) }
  const waiting = waitingOf([other, lake.pipeline], () => {
    throw new Error('the bucket is not there')
  })
  const handler = jobsHandler([other, lake.pipeline], { ...surroundings, waiting })
  await expect(handler({}, context())).rejects.toThrow('could not see to the jobs of other')
  expect(failures).toEqual([{ pipeline: 'other', error: 'Error: the bucket is not there' }])
  expect(runner.runs).toHaveLength(1)
})

test('a run that cannot be started is told with its job, and fails the invocation', async () => {
  const { lake, failures, surroundings } = await prepared()
  const runnerOf = () => ({
    startsOnce: true,
    start: () => Promise.reject(new Error('Glue does not answer')),
    find: () => Promise.resolve(undefined),
    state: () => Promise.resolve({ state: 'running' as const, message: null }),
  })
  const handler = jobsHandler([lake.pipeline], { ...surroundings, runnerOf })
  await expect(handler({}, context())).rejects.toThrow('could not see to the jobs of sensors')
  expect(failures).toMatchObject([
    { pipeline: 'sensors', job: 'count', scope: 'table', error: 'Error: Glue does not answer' },
  ])
})

test('the batches that wait are those of the function of a pipeline, in the bucket that it declares', async () => {
  const store = new MemoryStore()
  const own = failedBatch(sensorEvent([reading(1)]), 'inlet-dev-sensors')
  const longer = failedBatch(sensorEvent([reading(1)]), 'inlet-dev-late-sensors')
  for (const { key, body } of [own, longer]) await store.put(key, Buffer.from(body))
  const opened: string[] = []
  const pipeline = withJobs(JOBS)
  const trigger = defineTrigger({ failureDestination: 's3://given-up' })
  const late = { ...pipeline, name: 'late-sensors', trigger }
  const waiting = waitingOf([pipeline, late], (url) => {
    opened.push(url)
    return store
  })
  expect(await waiting(pipeline)).toEqual([])
  expect(await waiting({ ...pipeline, trigger })).toMatchObject([{ key: own.key }])
  expect(await waiting(late)).toMatchObject([{ key: longer.key }])
  await waiting(late)
  expect(opened).toEqual(['s3://given-up', 's3://given-up'])
})
