import {
  type EMRServerlessClient,
  GetJobRunCommand,
  type JobRun,
  StartJobRunCommand,
} from '@aws-sdk/client-emr-serverless'
import type { JobTarget } from '#shared/pipeline/job.ts'
import { commandLine, type JobRunner, knownState, type RunState, type StartOrder } from './job-runner.ts'
import { startError } from './start-errors.ts'

/** EMR Serverless keeps a `clientToken` for each run: to start with it again answers with the run that there is. */
export class EmrServerlessRunner implements JobRunner {
  readonly startsOnce = true
  readonly #emr: EMRServerlessClient

  constructor(emr: EMRServerlessClient) {
    this.#emr = emr
  }

  async start(order: StartOrder, abortSignal: AbortSignal): Promise<string> {
    const { application, role, script, spark } = targetOf(order.target)
    const command = new StartJobRunCommand({
      applicationId: application,
      clientToken: order.token,
      executionRoleArn: role,
      name: order.identity,
      jobDriver: {
        sparkSubmit: {
          entryPoint: script,
          entryPointArguments: commandLine(order),
          ...(spark !== '' && { sparkSubmitParameters: spark }),
        },
      },
    })
    try {
      const { jobRunId } = await this.#emr.send(command, { abortSignal })
      if (jobRunId === undefined)
        throw new Error(`EMR Serverless has started ${script} and does not say which run it is`)
      return jobRunId
    } catch (error) {
      throw startError(error, `cannot start ${script} on the application ${application}`)
    }
  }

  /** Nobody asks: starting again finds it. */
  find(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  state({ target }: Pick<StartOrder, 'target'>, jobRunId: string): Promise<RunState> {
    return knownState('ResourceNotFoundException', async () => {
      const { application } = targetOf(target)
      const { jobRun } = await this.#emr.send(new GetJobRunCommand({ applicationId: application, jobRunId }))
      return stateOf(jobRun)
    })
  }
}

function stateOf(run: JobRun | undefined): RunState {
  const message = run?.stateDetails ?? null
  switch (run?.state) {
    case 'SUCCESS':
      return { state: 'succeeded', message }
    case 'FAILED':
    case 'CANCELLED':
      return { state: 'failed', message: message ?? run.state }
    default:
      return { state: 'running', message }
  }
}

function targetOf(target: JobTarget): JobTarget & { kind: 'emrServerless' } {
  if (target.kind === 'emrServerless') return target
  throw new TypeError(`${target.kind} is no job of EMR Serverless`)
}
