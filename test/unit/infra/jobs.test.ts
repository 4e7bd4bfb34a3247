import type { JobRunner } from '#shared/jobs/job-runner.ts'
import { commitTables } from '#shared/lake/pipeline-tables.ts'
import type { JobsOptions } from '#shared/pipeline/job-options.ts'
import type { Job } from '#shared/pipeline/job.ts'
import { jobsHandler, waitingOf } from '#shared/runtimes/jobs.ts'
import { UNKNOWN_TOPIC } from '#shared/runtimes/table-view.ts'
import { answeringRunners } from '#test/helpers/answering-services.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { withJobs } from '#test/helpers/job-lake.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { manyOf, POLICY_CHARACTERS, policySize } from '#test/helpers/policy-size.ts'
import { context, GLUE, quiet, RecordingAccount } from '#test/helpers/recording-account.ts'
import { expectJustEnough, grants } from '#test/helpers/role-grants.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { deployed, stage } from '#test/helpers/stage.ts'

const emrServerless = { application: '00f', role: 'arn:aws:iam::123456789012:role/r', script: 's3://b/j.py' }
const JOBS: JobsOptions = {
  compact: { glue: 'compact', when: { partitionComplete: '10 minutes' } },
  again: { glue: 'compact', when: { every: '1 day' } },
  sum: { emrServerless, when: { rows: 5 } },
  train: { emrStep: { cluster: 'j-1A', script: 's3://b/j.py' }, when: { smallFiles: 9 } },
}

test('a stage without jobs has neither function nor role for them', () => {
  const { functions, resources } = deployed([withJobs({})])
  expect(functions).not.toHaveProperty('jobs')
  expect(Object.keys(resources.Resources).filter((id) => id.startsWith('Jobs'))).toEqual([])
})

test('the function is called each minute, and when a run of one of the jobs has ended', () => {
  const { functions, resources } = deployed([withJobs(JOBS)])
  expect(functions['jobs']).toMatchObject({
    handler: 'functions/jobs/handler.handler',
    maximumRetryAttempts: 0,
    environment: { LAKE_CATALOG: '${env:LAKE_CATALOG, self:custom.catalog}' },
    events: [
      { schedule: 'rate(1 minute)' },
      { eventBridge: { pattern: { source: ['aws.glue'], detail: { jobName: ['compact'] } } } },
      { eventBridge: { pattern: { source: ['aws.emr-serverless'], detail: { applicationId: ['00f'] } } } },
      { eventBridge: { pattern: { source: ['aws.emr'], detail: { clusterId: ['j-1A'] } } } },
    ],
  })
  const ids = Object.keys(resources.Resources).filter((id) => id.startsWith('Jobs'))
  expect(ids.sort()).toEqual(['JobsGivenUpAlarm', 'JobsNotSeenToAlarm', 'JobsRole', 'JobsThrottledAlarm'])
  expect(resources.extensions).toHaveProperty('JobsLambdaFunction')
  expect(resources.extensions).toHaveProperty('JobsLogGroup')
})

test('where concurrency is reserved, some is for the jobs', () => {
  const { resources } = deployed([withJobs(JOBS)], stage({ reserveConcurrency: true }))
  expect(resources.extensions['JobsLambdaFunction']).toMatchObject({ Properties: { ReservedConcurrentExecutions: 2 } })
})

test('the role of as many pipelines as a stack can have is not too large', () => {
  const { resources } = deployed(manyOf(withJobs(JOBS)))
  expect(policySize(resources.Resources, 'JobsRole')).toBeLessThan(POLICY_CHARACTERS)
})

test('a pipeline may not be called jobs', () => {
  expect(() => deployed([{ ...withJobs({}), name: 'jobs' }])).toThrow('pipeline jobs: a function of that name is there')
})

/** What the services of jobs are asked for, and what: their requests, as actions on resources. */
const JOB_RIGHTS: Readonly<Record<string, readonly [action: string, resource: string]>> = {
  glue: ['glue:', `${GLUE}:job/compact`],
  emrServerless: ['emr-serverless:', 'arn:aws:emr-serverless:us-east-1:123456789012:/applications/00f'],
  emrStep: ['elasticmapreduce:', 'arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/j-1A'],
}

test('the function of jobs may do what it does, and no more', async () => {
  const role = 'arn:aws:iam::123456789012:role/r'
  const pipeline = withJobs(
    {
      compact: { glue: 'compact', when: { rows: 2 } },
      sum: { emrServerless: { application: '00f', role, script: 's3://b/j.py' }, when: { rows: 2 } },
      train: { emrStep: { cluster: 'j-1A', script: 's3://b/j.py' }, when: { rows: 2 } },
    },
    { ...sensors, trigger: { ...sensors.trigger, failureDestination: 's3://given-up' } },
  )
  const account = await RecordingAccount.withTables(pipeline)
  await account.land(pipeline)
  await commitTables(account.bare, pipeline)
  await account.land({ ...pipeline, version: 'later' })
  await account.givenUp.put(failedBatch(sensorEvent([reading(7)], 0, 40)).key, Buffer.from('{}'))
  account.asked.length = 0
  // What nobody needs any more of windows that were put away is deleted after a day.
  await account.bare.store.put('jobs/sensors/g0/windows/old.json', Buffer.from('{}'))
  account.asked.length = 0
  const begun = 2 * 86_400_000
  let later = begun
  const lost = new Set<string>()
  const runnerOf = (job: Job): JobRunner => {
    const { kind } = job.target
    return answeringRunners((operation) => {
      const [service, resource] = JOB_RIGHTS[kind] ?? ['', '']
      const of = service === 'emr-serverless:' && operation === 'GetJobRun' ? `${resource}/jobruns/r` : resource
      account.asked.push({ action: `${service}${operation}`, resource: of })
      if (operation === 'StartJobRun' && kind === 'emrServerless')
        account.asked.push({ action: 'iam:PassRole', resource: role })
      // The first answer is lost: what was started has to be looked for.
      if (/^(?:Start|Add)/.test(operation) && lost.size < lost.add(kind).size) throw new Error('lost')
      return {
        JobRunId: 'r',
        jobRunId: 'r',
        StepIds: ['r'],
        JobRun: { JobRunState: 'SUCCEEDED' },
        jobRun: { state: 'SUCCESS' },
        Step: { Status: { State: 'COMPLETED' } },
      }
    })(job)
  }
  const surroundings = {
    ...account.surroundings,
    catalog: 'glue:lake',
    windows: 0,
    now: () => Date.now() + later,
    deadline: () => new AbortController().signal,
    runnerOf,
    waiting: waitingOf([pipeline], () => account.failedBatches),
    topic: () => Promise.resolve(UNKNOWN_TOPIC),
    telemetry: { ...quiet, run() {} },
  }
  const handler = jobsHandler([pipeline], surroundings)
  await expect(handler({}, context)).rejects.toThrow('could not see to the jobs of sensors')
  for (; later < begun + 600_000; later += 60_000) await handler({}, context)
  expectJustEnough(account.asked, grants('JobsRole', [pipeline]))
})
