import { InletError } from '#shared/pipeline/errors.ts'
import type { Interceptor, MemoryStore, StoreCall } from '../memory-store.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'

/** What an actor waits before: a call to the store, an access to a table, or its answer. */
export type Call = StoreCall

/** What becomes of a call when not all is well, and how often. */
const MISFORTUNES = {
  /** Not done; the client sees an error. */
  refused: 0.005,
  /** Done, but the client sees an error. */
  'answer lost': 0.01,
  /** Done at some later moment, whatever happens meanwhile; the client sees an error. */
  late: 0.01,
  /** Done twice, because the client did not hear of the first time: it sees the second answer. */
  'sent twice': 0.02,
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

/** A process: it does one piece of work at a time and rests before each call until the schedule lets it through. */
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
      if (this.#waiting !== undefined) throw new Error(`${this.name} makes two calls at a time`)
      this.#waiting = { call, effect, resolve: (answer) => resolve(answer as ReturnType<typeof effect>), reject }
      this.#onRest()
    })

  /** Begins work. @param ended hears what it threw, or undefined once it has answered @returns at the first rest */
  start(work: () => Promise<void>, ended: (error: Error | undefined) => void): Promise<void> {
    const end = (error: Error | undefined): void => {
      ended(error)
      this.#onRest()
    }
    return this.#untilRest(() => {
      work()
        .then(() => this.intercept({ operation: 'answer', key: '' }, () => {}))
        .then(
          () => end(undefined),
          (error: unknown) => end(error instanceof Error ? error : new Error('it threw no error')),
        )
    })
  }

  /** Goes on as the call that it waits before is dealt with. @returns at the next rest, or at its end */
  resume(deal: (waiting: Waiting) => void): Promise<void> {
    const waiting = this.#waiting
    if (waiting === undefined) throw new Error(`${this.name} does not wait`)
    this.#waiting = undefined
    return this.#untilRest(() => deal(waiting))
  }

  #untilRest(go: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#onRest = resolve
      go()
    })
  }
}

/**
 * Runs actors one call at a time, in an order that nothing but the seed decides. Between two calls an actor only
 * computes, so the order of the calls is all there is to concurrency. One that is never resumed is one that was killed,
 * between the effect of one call and the next.
 */
export class Schedule {
  steps = 0
  readonly #random: Random
  readonly #trace: Trace | undefined
  readonly #busy: Actor[] = []
  readonly #late: Pick<Waiting, 'call' | 'effect'>[] = []
  #isCalm = false

  constructor(random: Random, trace?: Trace) {
    this.#random = random
    this.#trace = trace
  }

  get isCalm(): boolean {
    return this.#isCalm
  }

  /** From now on every call is done, once and at once. */
  calm(): void {
    this.#isCalm = true
    while (this.#late.length > 0) this.#arriveLate()
  }

  /** One of the actors that are at work. */
  pick(): Actor | undefined {
    return this.#random.pick(this.#busy)
  }

  /** Gives an actor work. @param ended hears what it threw, or undefined; nothing if it is killed */
  async begin(actor: Actor, work: () => Promise<void>, ended: (error: Error | undefined) => void): Promise<void> {
    this.#busy.push(actor)
    await actor.start(work, (error) => {
      this.#remove(actor)
      if (error !== undefined) this.#trace?.event(actor.name, `fails: ${String(error)}`)
      ended(error)
    })
  }

  kill(actor: Actor): void {
    this.#remove(actor)
    this.#trace?.event(actor.name, 'is killed')
  }

  /** Lets the call that an actor waits before have its fate, and the actor come to its next one. */
  async step(actor: Actor): Promise<void> {
    this.steps += 1
    if (this.#late.length > 0 && this.#random.chance(ARRIVAL)) this.#arriveLate()
    await actor.resume(({ call, effect, resolve, reject }) => {
      const fate = this.#fateOf(call)
      if (fate === 'late') this.#late.push({ call, effect })
      let answer = fate === 'refused' || fate === 'late' ? undefined : effect()
      if (fate === 'sent twice') answer = effect()
      this.#trace?.call(actor.name, call, fate, answer)
      if (fate === 'done' || fate === 'sent twice') resolve(answer)
      else reject(new InletError('STORE_UNAVAILABLE', `${call.operation}: ${fate}`))
    })
  }

  #arriveLate(): void {
    const late = this.#late.shift()
    if (late === undefined) return
    const answer = late.effect()
    this.#trace?.call('(arrives)', late.call, 'done', answer)
  }

  #fateOf({ operation }: Call): Fate {
    const misfortune = this.#isCalm ? undefined : this.#random.event(MISFORTUNES)
    const isPossible = misfortune === 'refused' ? operation !== 'answer' : CHANGES.has(operation)
    return misfortune !== undefined && isPossible ? misfortune : 'done'
  }

  #remove(actor: Actor): void {
    this.#busy.splice(this.#busy.indexOf(actor), 1)
  }
}
