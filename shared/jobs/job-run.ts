/**
 * One run, started once and followed to its end, by any number of schedulers that may each be stopped anywhere.
 *
 * 1. The run is decided by its order, and each attempt has a turn to start it, put if absent: who has put it may start the attempt,
 *    until the turn's end, and nobody else.
 * 2. A service that takes a token is told the attempt's identity: to start it again is the same run, and anybody may.
 * 3. Of a service without one, a turn of which nothing is written down may have started a run. Once it has ended for good, the runs
 *    are searched for the identity. One that is found is it; if there is none, the next turn may start it.
 * 4. A start that was refused is written down: then the next turn need not wait for the end of this one.
 *
 * What an attempt starts is written down with its turn. The job may be declared otherwise by the next round: what is at work is asked
 * for where it is, and only the next turn starts what is declared by then.
 */
import type { Job, RunArguments } from '#shared/pipeline/job.ts'
import { type JobRunner, type StartOrder, StartRefusedError } from './job-runner.ts'
import { attemptIdentity, type RunId, tokenOf } from './run-id.ts'
import {
  type AttemptRecord,
  type RunOrder,
  type RunOutcome,
  type RunRecord,
  RunRecords,
  type RunStore,
  type StartTurn,
} from './run-records.ts'

/** How long a turn is; a start is given up when it ends. */
const TURN_MS = 60_000
/** How long after it a run may come to be seen that was started at its very end. */
const SETTLE_MS = 60_000
const MINUTE = 60_000
/** What a refused start, and a failed attempt, wait for at the most. */
const LONGEST_WAIT_MS = 15 * MINUTE

export interface RunSurroundings {
  readonly store: RunStore
  readonly runnerOf: (job: Job) => JobRunner
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A signal that is aborted in so many milliseconds. */
  readonly deadline: (milliseconds: number) => AbortSignal
}

/** What every attempt of a run is told, besides what tells it from others. */
export type RunContext = Pick<RunArguments, 'catalog' | 'table' | 'window-column'>

export type RunStatus =
  | { readonly status: 'over'; readonly outcome: RunOutcome; readonly measure: number }
  | { readonly status: 'running'; readonly attempt: number; readonly runId: string; readonly measure: number }
  | {
      readonly status: 'waiting'
      readonly because: string
      /** Whether it may be at work all the same. */
      readonly isUncertain: boolean
      readonly measure: number
    }

/**
 * Brings a run as far as it goes now.
 * @param mayStart whether another run of the job may be started
 * @returns undefined when the run was never decided
 */
export async function pursueRun(
  surroundings: RunSurroundings,
  id: RunId,
  job: Job,
  context: RunContext,
  mayStart: boolean,
): Promise<RunStatus | undefined> {
  const records = new RunRecords(surroundings.store, id)
  for (;;) {
    const record = await records.read()
    if (record === undefined) return undefined
    const { measure } = record.order
    if (record.outcome !== null) {
      await records.close()
      return { status: 'over', outcome: record.outcome, measure }
    }
    const orderOf = (attempt: number, started: StartedJob): StartOrder =>
      startOrder(id, started, context, record.order, attempt)
    const step = await new RunSteps(surroundings, records, job, orderOf, mayStart).next(record)
    if (step !== 'again') return { measure, ...step }
  }
}

/** What of a job its attempts start. */
type StartedJob = Pick<Job, 'target' | 'arguments'>

/** What is written down of an attempt, where it is. */
type Known<Part extends 'refusal' | 'started' | 'ended'> = NonNullable<AttemptRecord[Part]>

type Step =
  | 'again'
  | { readonly status: 'running'; readonly attempt: number; readonly runId: string }
  | { readonly status: 'waiting'; readonly because: string; readonly isUncertain: boolean }

/** What is to be done about a run that is not over. */
class RunSteps {
  readonly #surroundings: RunSurroundings
  readonly #records: RunRecords
  readonly #job: Job
  readonly #orderOf: (attempt: number, started: StartedJob) => StartOrder
  readonly #mayStart: boolean

  constructor(
    surroundings: RunSurroundings,
    records: RunRecords,
    job: Job,
    orderOf: (attempt: number, started: StartedJob) => StartOrder,
    mayStart: boolean,
  ) {
    this.#surroundings = surroundings
    this.#records = records
    this.#job = job
    this.#orderOf = orderOf
    this.#mayStart = mayStart
  }

  async next({ attempts }: RunRecord): Promise<Step> {
    const attempt = attempts.length - 1
    const { turns, turn, refusal, started, ended } = attempts[attempt] as AttemptRecord
    if (ended !== null) return this.#afterEnd(attempt, ended)
    if (turn === null) return this.#takeTurn(attempt, 0)
    if (started !== null) return this.#follow(attempt, turn, started)
    if (refusal !== null) return this.#afterRefusal(attempt, turns, refusal)
    return this.#beforeStart(attempt, turns, turn)
  }

  async #follow(attempt: number, { job = this.#job }: StartTurn, { runId, at }: Known<'started'>): Promise<Step> {
    const { state, message } = await this.#runnerOf(job).state(this.#orderOf(attempt, job), runId)
    const now = this.#surroundings.now()
    const isAtWork = state === 'running' || (state === 'gone' && now < at + SETTLE_MS)
    if (isAtWork) return { status: 'running', attempt, runId }
    await this.#records.ended(attempt, { state: state === 'succeeded' ? state : 'failed', at: now, message })
    return 'again'
  }

  async #afterEnd(attempt: number, { state, message, at }: Known<'ended'>): Promise<Step> {
    const attempts = attempt + 1
    if (state === 'succeeded' || attempts > this.#job.retries) {
      await this.#records.concluded({ state: state === 'succeeded' ? state : 'gave up', attempts, at, message })
      return 'again'
    }
    const from = at + backoff(attempt)
    if (this.#surroundings.now() < from) return waiting(`failed (${message}); tried again at ${iso(from)}`)
    return this.#takeTurn(attempts, 0)
  }

  #afterRefusal(attempt: number, turns: number, { at, message }: Known<'refusal'>): Step | Promise<Step> {
    const from = at + backoff(turns - 1)
    if (this.#surroundings.now() < from) return waiting(`${message}; asked again at ${iso(from)}`)
    return this.#takeTurn(attempt, turns)
  }

  /** Nothing is known yet of what the service made of the attempt. */
  async #beforeStart(attempt: number, turns: number, { at, until, job = this.#job }: StartTurn): Promise<Step> {
    const now = this.#surroundings.now()
    const runner = this.#runnerOf(job)
    if (runner.startsOnce) return this.#start(attempt, turns - 1, now + TURN_MS, job)
    const settled = until + SETTLE_MS
    if (now < settled)
      return waiting(`its start has begun, and nothing is known of it; looked for at ${iso(settled)}`, true)
    const runId = await runner.find(this.#orderOf(attempt, job), at)
    if (runId === undefined) return this.#takeTurn(attempt, turns)
    await this.#records.started(attempt, { runId, at: now })
    return 'again'
  }

  async #takeTurn(attempt: number, turn: number): Promise<Step> {
    if (!this.#mayStart) return waiting(`as many runs of ${this.#job.name} are at work as may be`)
    const at = this.#surroundings.now()
    const until = at + TURN_MS
    const { target, arguments: declared } = this.#job
    const job = { target, arguments: declared }
    if (await this.#records.takeTurn(attempt, turn, { at, until, job })) return this.#start(attempt, turn, until, job)
    return waiting('another scheduler starts it', true)
  }

  async #start(attempt: number, turn: number, until: number, job: StartedJob): Promise<Step> {
    const { now, deadline } = this.#surroundings
    const left = until - now()
    if (left <= 0) return waiting('its turn to be started is over', true)
    const start = this.#runnerOf(job).start(this.#orderOf(attempt, job), deadline(left))
    const runId = await start.catch((error: unknown) => {
      if (error instanceof StartRefusedError) return error
      throw error
    })
    const at = now()
    if (typeof runId === 'string') {
      await this.#records.started(attempt, { runId, at })
      return { status: 'running', attempt, runId }
    }
    const { reason, message } = runId
    if (reason === 'wrong') {
      await this.#records.ended(attempt, { state: 'failed', at, message })
      return 'again'
    }
    await this.#records.refused(attempt, turn, { at, message })
    return waiting(message)
  }

  #runnerOf({ target }: StartedJob): JobRunner {
    return this.#surroundings.runnerOf({ ...this.#job, target })
  }
}

function waiting(because: string, isUncertain = false): Step {
  return { status: 'waiting', because, isUncertain }
}

function startOrder(id: RunId, job: StartedJob, context: RunContext, order: RunOrder, attempt: number): StartOrder {
  const identity = attemptIdentity(id, attempt)
  const { window, snapshot } = order
  return {
    target: job.target,
    identity,
    token: tokenOf(identity),
    arguments: {
      run: identity,
      pipeline: id.pipeline,
      lake: id.lake,
      catalog: context.catalog,
      table: context.table,
      snapshot,
      partition: window === null ? '' : id.scope,
      'window-column': window === null ? '' : context['window-column'],
      'window-start': window === null ? '' : iso(window.start),
      'window-end': window === null ? '' : iso(window.end),
      ...job.arguments,
    },
  }
}

/** A minute, two, four …: at most a quarter of an hour. */
function backoff(times: number): number {
  return Math.min(LONGEST_WAIT_MS, MINUTE * 2 ** times)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
