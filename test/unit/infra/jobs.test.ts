import type { JobsOptions } from '#shared/pipeline/job.ts'
import { withJobs } from '#test/helpers/job-lake.ts'
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

test('a pipeline may not be called jobs', () => {
  expect(() => deployed([{ ...withJobs({}), name: 'jobs' }])).toThrow('pipeline jobs: a function of that name is there')
})
