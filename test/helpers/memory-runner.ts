import { type JobRunner, type RunState, type StartOrder, StartRefusedError } from '#shared/jobs/job-runner.ts'

/** A run as the service knows it. */
export interface MemoryRun {
  readonly id: string
  readonly order: StartOrder
  state: RunState
}

/** A service that runs jobs: in memory, and only by name. What a run comes to is said by the test. */
export class MemoryRunner implements JobRunner {
  readonly startsOnce: boolean
  readonly runs: MemoryRun[] = []
  /** How many may be at work. */
  limit = Number.POSITIVE_INFINITY

  constructor(startsOnce: boolean) {
    this.startsOnce = startsOnce
  }

  start(order: StartOrder, signal: AbortSignal): Promise<string> {
    return this.#call(() => {
      signal.throwIfAborted()
      const known = this.startsOnce ? this.runs.find((run) => run.order.token === order.token) : undefined
      if (known !== undefined) return known.id
      if (this.runs.filter(({ state }) => state.state === 'running').length >= this.limit)
        throw new StartRefusedError('busy', 'ConcurrentRunsExceededException')
      const run: MemoryRun = { id: `jr_${this.runs.length}`, order, state: { state: 'running', message: null } }
      this.runs.push(run)
      return run.id
    })
  }

  find({ identity }: StartOrder): Promise<string | undefined> {
    return this.#call(() => this.runs.find(({ order }) => order.identity === identity)?.id)
  }

  state(_order: unknown, runId: string): Promise<RunState> {
    return this.#call(() => {
      const run = this.runs.find(({ id }) => id === runId)
      if (run === undefined) throw new Error(`there is no run ${runId}`)
      return run.state
    })
  }

  /** All runs that are at work come to their end. */
  end(state: RunState['state'] = 'succeeded', message: string | null = null): void {
    for (const run of this.runs) if (run.state.state === 'running') run.state = { state, message }
  }

  /** What throws is a call that has failed. */
  async #call<T>(effect: () => T): Promise<T> {
    return effect()
  }
}
