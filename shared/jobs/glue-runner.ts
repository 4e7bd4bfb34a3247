import {
  GetJobRunCommand,
  type GlueClient,
  type JobRun,
  paginateGetJobRuns,
  StartJobRunCommand,
} from '@aws-sdk/client-glue'
import type { JobTarget } from '#shared/pipeline/job.ts'
import { type JobRunner, knownState, type RunState, type StartOrder } from './job-runner.ts'
import { startError } from './start-errors.ts'

/** The most that `GetJobRuns` gives at once. */
const PAGE = 200
const HOUR = 3_600_000

/** Glue's `StartJobRun` takes no token: the same arguments start another run. A run is known again by its argument `--run`. */
export class GlueRunner implements JobRunner {
  readonly startsOnce = false
  readonly #glue: GlueClient

  constructor(glue: GlueClient) {
    this.#glue = glue
  }

  async start(order: StartOrder, abortSignal: AbortSignal): Promise<string> {
    const JobName = jobOf(order.target)
    const Arguments = Object.fromEntries(Object.entries(order.arguments).map(([name, value]) => [`--${name}`, value]))
    try {
      const { JobRunId } = await this.#glue.send(new StartJobRunCommand({ JobName, Arguments }), { abortSignal })
      if (JobRunId === undefined) throw new Error(`Glue has started ${JobName} and does not say which run it is`)
      return JobRunId
    } catch (error) {
      throw startError(error, `cannot start the Glue job ${JobName}`)
    }
  }

  /** Runs come with the newest first. */
  async find(order: StartOrder, since: number): Promise<string | undefined> {
    const pages = paginateGetJobRuns({ client: this.#glue, pageSize: PAGE }, { JobName: jobOf(order.target) })
    for await (const { JobRuns = [] } of pages) {
      const found = JobRuns.find(({ Arguments }) => Arguments?.['--run'] === order.identity)
      if (found?.Id !== undefined) return found.Id
      // Clocks differ, by less than an hour.
      if (JobRuns.length > 0 && JobRuns.every(({ StartedOn }) => isBefore(StartedOn, since - HOUR))) return undefined
    }
    return undefined
  }

  state({ target }: Pick<StartOrder, 'target'>, RunId: string): Promise<RunState> {
    return knownState('EntityNotFoundException', async () => {
      const { JobRun: run } = await this.#glue.send(new GetJobRunCommand({ JobName: jobOf(target), RunId }))
      return stateOf(run)
    })
  }
}

function stateOf(run: JobRun | undefined): RunState {
  const message = run?.ErrorMessage ?? null
  switch (run?.JobRunState) {
    case 'SUCCEEDED':
      return { state: 'succeeded', message }
    case 'ERROR':
    case 'EXPIRED':
    case 'FAILED':
    case 'STOPPED':
    case 'TIMEOUT':
      return { state: 'failed', message: message ?? run.JobRunState }
    default:
      return { state: 'running', message }
  }
}

function isBefore(date: Date | undefined, time: number): boolean {
  return date !== undefined && date.getTime() < time
}

function jobOf(target: JobTarget): string {
  if (target.kind === 'glue') return target.job
  throw new TypeError(`${target.kind} is no job of Glue`)
}
