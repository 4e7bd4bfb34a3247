import { EMRClient } from '@aws-sdk/client-emr'
import { EMRServerlessClient } from '@aws-sdk/client-emr-serverless'
import { GlueClient } from '@aws-sdk/client-glue'
import { EmrServerlessRunner } from '#shared/jobs/emr-serverless-runner.ts'
import { EmrStepRunner } from '#shared/jobs/emr-step-runner.ts'
import { GlueRunner } from '#shared/jobs/glue-runner.ts'
import type { JobRunner } from '#shared/jobs/job-runner.ts'
import type { Job } from '#shared/pipeline/job.ts'

/** What a service is asked: `StartJobRun` and its input. What is thrown is its error. */
export type Answer = (operation: string, input: Readonly<Record<string, unknown>>) => object

const ACCOUNT = { region: 'us-east-1', credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' } }

interface Stacked {
  readonly middlewareStack: {
    add(middleware: unknown, options: { readonly step: 'initialize' }): void
  }
}

/** The runners of production, whose requests go to a function instead of a network. */
export function answeringRunners(answer: Answer): (job: Job) => JobRunner {
  const answered = <C extends Stacked>(client: C): C => {
    const middleware =
      (_next: unknown, { commandName }: { readonly commandName: string }) =>
      (args: { readonly input: Readonly<Record<string, unknown>> }) =>
        new Promise((resolve) => resolve({ output: answer(commandName.replace(/Command$/, ''), args.input) }))
    client.middlewareStack.add(middleware, { step: 'initialize' })
    return client
  }
  const runners = {
    glue: new GlueRunner(answered(new GlueClient(ACCOUNT))),
    emrServerless: new EmrServerlessRunner(answered(new EMRServerlessClient(ACCOUNT))),
    emrStep: new EmrStepRunner(answered(new EMRClient(ACCOUNT))),
  }
  return ({ target }) => runners[target.kind]
}
