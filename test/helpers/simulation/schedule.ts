import { InletError } from '#shared/pipeline/errors.ts'
import { type Interceptor, MemoryStore } from '../memory-store.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'

/** Before what an actor waits: a call to the store, an access to a table, or its answer. */
export interface Call {
  readonly operation: string
  readonly key: string
}

/** What becomes of a call when not all is well, and how often. */
const MISFORTUNES = {
  /** Not done; the client sees an error. */
  refused: 0.004,
  /** Done, but the client sees an error. */
  'answer lost': 0.004,
  /** Done at some later moment, whatever happens meanwhile; the client sees an error. */
  late: 0.003,
  /** Done twice, because the client did not hear of the first time: it sees the second answer. */
  'sent twice': 0.01,
}
export type Fate = keyof typeof MISFORTUNES | 'done'

/** What changes nothing can only be refused. */
const CHANGES = new Set(['put', 'putIfAbsent', 'delete', 'swap'])
/** How often, at a step, a late call arrives. */
const ARRIVAL = 0.05

interface Waiting {
  readonly call: Call
  readonly effect: () => unknown
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** A process: it does one piece of work at a time and waits before each call until the schedule lets it through. */
export class Actor {
  readonly name: string
  readonly store: MemoryStore
  #waiting: Waiting | undefined
  #onRest: () => void = () => {}

  constructor(name: string, store: MemoryStore) {
    this.name = name
    this.store = store.through(this.intercept)
  }

  readonly intercept: Interceptor = (call, effect) =>
    new Promise((resolve, reject) => {
      this.#waiting = { call, effect, resolve: (answer) => resolve(answer as ReturnType<typeof effect>), reject }
      this.#onRest()
    })

  /** Sets it going. @returns when it waits before its next call, or has come to its end and says so */
  go(start: (ended: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#onRest = resolve
      start(resolve)
    })
  }

  /** The call that it waits before, to be dealt with. */
  take(): Waiting {
    const waiting = this.#waiting
    if (waiting === undefined) throw new Error(`${this.name} does not wait`)
    this.#waiting = undefined
    return waiting
  }
}

/**
 * Runs actors one call at a time, in an order that nothing but the seed decides. Between two calls an actor only computes,
 * so the order of the calls is all there is to concurrency. One that is never resumed is one that was killed, between the
 * effect of one call and the next.
 */
export class Schedule {
  steps = 0
  readonly #random: Random
  readonly #trace: Trace | undefined
  readonly #busy: Actor[] = []
  readonly #late: (() => unknown)[] = []
  #isCalm = false

  constructor(random: Random, trace?: Trace) {
    this.#random = random
    this.#trace = trace
  }

  /** One of the actors that are at work. */
  pick(): Actor | undefined {
    return this.#random.pick(this.#busy)
  }

  /** From now on every call is done, once and at once. */
  calm(): void {
    this.#isCalm = true
    for (const effect of this.#late.splice(0)) effect()
  }

  /** Gives an actor work. @param ended hears what was thrown, or undefined; nothing if the actor is killed */
  async begin(actor: Actor, work: () => Promise<void>, ended: (error: unknown) => void): Promise<void> {
    const answer = (): Promise<void> => actor.intercept({ operation: 'answer', key: '' }, () => {})
    this.#busy.push(actor)
    await actor.go((rest) => {
      const end = (error: unknown): void => {
        this.#remove(actor)
        if (error !== undefined) this.#trace?.event(actor.name, `fails: ${String(error)}`)
        ended(error)
        // The promise of the step that led here, not of the one that began.
        actor.end()
      }
      work()
        .then(answer)
        .then(() => end(undefined), end)
    })
  }
}
