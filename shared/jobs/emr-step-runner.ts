import {
  AddJobFlowStepsCommand,
  DescribeStepCommand,
  type EMRClient,
  paginateListSteps,
  type Step,
} from '@aws-sdk/client-emr'
import type { JobTarget } from '#shared/pipeline/job.ts'
import { commandLine, type JobRunner, knownState, type RunState, type StartOrder } from './job-runner.ts'
import { startError } from './start-errors.ts'

/** Steps take no token. A step is known again by its name, which is the run's identity. */
export class EmrStepRunner implements JobRunner {
  readonly startsOnce = false
  readonly #emr: EMRClient

  constructor(emr: EMRClient) {
    this.#emr = emr
  }

  async start(order: StartOrder, abortSignal: AbortSignal): Promise<string> {
    const { cluster, script, spark } = targetOf(order.target)
    const Args = ['spark-submit', '--deploy-mode', 'cluster', ...spark, script, ...commandLine(order)]
    const HadoopJarStep = { Jar: 'command-runner.jar', Args }
    // What else runs on the cluster is no matter of ours.
    const Steps = [{ Name: order.identity, ActionOnFailure: 'CONTINUE' as const, HadoopJarStep }]
    try {
      const command = new AddJobFlowStepsCommand({ JobFlowId: cluster, Steps })
      const { StepIds } = await this.#emr.send(command, { abortSignal })
      const id = StepIds?.[0]
      if (id === undefined) throw new Error(`EMR has added a step to ${cluster} and does not say which it is`)
      return id
    } catch (error) {
      throw startError(error, `cannot add a step to the cluster ${cluster}`)
    }
  }

  /** Steps come with the newest first, and a cluster's are kept as long as it is. */
  async find(order: StartOrder): Promise<string | undefined> {
    for await (const { Steps = [] } of paginateListSteps(
      { client: this.#emr },
      { ClusterId: targetOf(order.target).cluster },
    )) {
      const found = Steps.find((step) => step.Name === order.identity)
      if (found?.Id !== undefined) return found.Id
    }
    return undefined
  }

  /** EMR has no error of its own for a step, or a cluster, that it does not know; all that is asked here are their ids. */
  state({ target }: Pick<StartOrder, 'target'>, StepId: string): Promise<RunState> {
    return knownState('InvalidRequestException', async () => {
      const command = new DescribeStepCommand({ ClusterId: targetOf(target).cluster, StepId })
      return stateOf((await this.#emr.send(command)).Step)
    })
  }
}

function stateOf(step: Step | undefined): RunState {
  const message = step?.Status?.FailureDetails?.Message ?? step?.Status?.StateChangeReason?.Message ?? null
  switch (step?.Status?.State) {
    case 'COMPLETED':
      return { state: 'succeeded', message }
    case 'CANCELLED':
    case 'FAILED':
    case 'INTERRUPTED':
      return { state: 'failed', message: message ?? step.Status.State }
    default:
      return { state: 'running', message }
  }
}

function targetOf(target: JobTarget): JobTarget & { kind: 'emrStep' } {
  if (target.kind === 'emrStep') return target
  throw new TypeError(`${target.kind} is no step of EMR`)
}
