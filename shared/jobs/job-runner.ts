import type { JobTarget, RunArguments } from '#shared/pipeline/job.ts'

/** What is to be started. */
export interface StartOrder {
  readonly target: JobTarget
  /** Who the run is: job, table, window and attempt, and of no other run of any lake. It is the argument `run`, too. */
  readonly identity: string
  /** The same in at most 64 letters and digits. */
  readonly token: string
  /** What the job declares comes behind what every run has. */
  readonly arguments: RunArguments & Readonly<Record<string, string>>
}

/**
 * What became of a run; `gone` when the service does not know it: not yet, just after its start, or not any more. The message is for
 * people: why it failed, as far as the service says.
 */
export interface RunState {
  readonly state: 'running' | 'succeeded' | 'failed' | 'gone'
  readonly message: string | null
}

/** Where jobs run. */
export interface JobRunner {
  /** Whether starting with an identity that was started before is that same run, however long ago it was. */
  readonly startsOnce: boolean
  /**
   * Starts a run, and never tries twice by itself.
   * @param signal aborted when it must not be started any more
   * @returns the id by which the service knows the run
   * @throws StartRefusedError when it certainly was not started; any other error when that is not known
   */
  start(order: StartOrder, signal: AbortSignal): Promise<string>
  /**
   * Looks for the run of an identity among those that the service knows.
   * @param since milliseconds since 1970: it was not started before
   */
  find(order: StartOrder, since: number): Promise<string | undefined>
  /** @throws what the service says when it cannot be asked: then nothing is known of the run */
  state(order: Pick<StartOrder, 'target' | 'identity'>, runId: string): Promise<RunState>
}

/**
 * The answer to a question for a run.
 * @param unknown the name of the error with which the service says that it knows no such run
 */
export async function knownState(unknown: string, ask: () => Promise<RunState>): Promise<RunState> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Error && error.name === unknown)
      return { state: 'gone', message: `${error.name}: ${error.message}` }
    throw error
  }
}

/** A start that was refused: nothing runs. */
export class StartRefusedError extends Error {
  override readonly name = 'StartRefusedError'
  /** `busy`: as many runs as may be are at work, or the service is slowed down; it is asked again. `wrong`: that cannot help. */
  readonly reason: 'busy' | 'wrong'

  constructor(reason: StartRefusedError['reason'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

/** A run's arguments as a command line has them. */
export function commandLine(order: Pick<StartOrder, 'arguments'>): string[] {
  return Object.entries(order.arguments).flatMap(([name, value]) => [`--${name}`, value])
}
