import type { Job } from '#shared/pipeline/job.ts'
import { EmrServerlessRunner } from './emr-serverless-runner.ts'
import { EmrStepRunner } from './emr-step-runner.ts'
import { GlueRunner } from './glue-runner.ts'
import { createEmrClient, createEmrServerlessClient, createGlueJobsClient } from './job-clients.ts'
import type { JobRunner } from './job-runner.ts'

/** The services that jobs run on, each made when a job is of it. Clients take region and credentials from the environment. */
export function awsRunners(): (job: Job) => JobRunner {
  const made = new Map<Job['target']['kind'], JobRunner>()
  return ({ target: { kind } }) => {
    const runner = made.get(kind) ?? runnerFor(kind)
    made.set(kind, runner)
    return runner
  }
}

function runnerFor(kind: Job['target']['kind']): JobRunner {
  switch (kind) {
    case 'glue':
      return new GlueRunner(createGlueJobsClient())
    case 'emrServerless':
      return new EmrServerlessRunner(createEmrServerlessClient())
    case 'emrStep':
      return new EmrStepRunner(createEmrClient())
  }
}
