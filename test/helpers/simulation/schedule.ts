import type { Events } from './events.ts'
import { ABANDONED, type Fate, fateOf, isChange } from './fates.ts'
import { type Call, type Process, unfailing } from './process.ts'
import type { Random } from './random.ts'
import { enter } from './sandbox.ts'
import type { Trace } from './trace.ts'

/** How often, at a step, a late call arrives. */
const ARRIVAL = 0.05
/** How often a change is still made that was under way when its process was killed. */
const OUTLIVES = 0.3
/** What a step takes on the clock of its process, in milliseconds. */
const STEP_MS = 20
const LONGEST_HOLD = 40

/**
 * Runs processes one call at a time, in an order that nothing but the seed decides. Between two calls a process only
 * computes, so the order of the calls is all there is to concurrency. Whoever uses this lets everything that follows from
 * a step at once happen before the next one: each is a task of its own of the event loop.
 */
export class Schedule {
  readonly random: Random
  steps = 0
  readonly #events: Events
  readonly #trace: Trace | undefined
  readonly #waiting: Call[] = []
  readonly #frozen: Call[] = []
  readonly #late: Call[] = []
  readonly #busy = new Set<Process>()
  #stormUntil = 0
  #uuids = 0
  #isCalm = false

  constructor(random: Random, events: Events, trace?: Trace) {
    this.random = random
    this.#events = events
    this.#trace = trace
  }

  /** Whether nothing goes wrong any more. */
  get isCalm(): boolean {
    return this.#isCalm
  }

  /** Processes at work. */
  get busy(): ReadonlySet<Process> {
    return this.#busy
  }

  /** From now on every call is done, once and at once. */
  calm(): void {
    this.#isCalm = true
    while (this.#late.length > 0) this.#arriveLate()
  }

  /** For so many steps the store answers hardly anybody. */
  storm(steps: number): void {
    this.#stormUntil = this.steps + steps
    this.#trace?.event('the store', `is overloaded for ${steps} calls`)
  }

  /** Names in the order in which they are asked for. */
  uuid(): string {
    return `00000000-0000-4000-8000-${String(this.#uuids++).padStart(12, '0')}`
  }

  add(call: Call): void {
    if (call.process.isAlive) (call.process.isFrozen ? this.#frozen : this.#waiting).push(call)
  }

  remove(call: Call): void {
    take(this.#waiting, call)
    take(this.#frozen, call)
  }

  /** One of the calls under way; undefined when there is none. */
  pick(): Call | undefined {
    const call = this.random.pick(this.#waiting)
    if (call === undefined || call.heldUntil <= this.steps) return call
    return this.random.pick(this.#waiting.filter(({ heldUntil }) => heldUntil <= this.steps)) ?? call
  }

  /** Gives a process work. @param ended hears what it threw, or what it answered; nothing if it is killed */
  begin<T>(process: Process, work: () => Promise<T>, ended: (error: Error | undefined, answer?: T) => void): void {
    const end = (error: Error | undefined, answer?: T): void => {
      // What a process was told in the moment of its death it does not tell.
      if (!process.isAlive) return
      this.#busy.delete(process)
      if (error !== undefined) this.#trace?.event(process.name, `fails: ${String(error)}`)
      ended(error, answer)
    }
    this.#busy.add(process)
    enter(process)
    work()
      // Even when all is done it may be killed before anybody hears of it.
      .then(async (answer) => {
        await process.call({ operation: 'answer', key: '', effect: () => {}, error: unfailing })
        return answer
      })
      .then(
        (answer) => end(undefined, answer),
        (error: unknown) => end(error instanceof Error ? error : new Error('it threw no error')),
      )
  }

  /** Lets a call have its fate, and its process come to the next ones. */
  step(call: Call): void {
    this.steps += 1
    if (this.#late.length > 0 && this.random.chance(ARRIVAL)) this.#arriveLate()
    const isStorm = this.steps < this.#stormUntil
    const fate = this.#isCalm ? 'done' : fateOf(call.request.operation, this.#events, isStorm)
    if (fate === 'slow') {
      call.heldUntil = this.steps + this.random.between(2, LONGEST_HOLD)
      return
    }
    call.process.now += STEP_MS
    take(this.#waiting, call)
    enter(call.process)
    this.#deal(call, fate)
  }

  /** Ends a process where it is. */
  kill(process: Process, why = 'is killed'): void {
    this.#trace?.event(process.name, why)
    process.isAlive = false
    this.#busy.delete(process)
    for (const list of [this.#waiting, this.#frozen]) {
      for (const call of callsOf(process, list)) {
        take(list, call)
        if (isChange(call.request.operation) && this.random.chance(OUTLIVES)) this.#late.push(call)
      }
    }
  }

  /** Lets a process run no longer. */
  freeze(process: Process): void {
    process.isFrozen = true
    this.#frozen.push(...callsOf(process, this.#waiting))
    for (const call of callsOf(process, this.#frozen)) take(this.#waiting, call)
  }

  /** Lets a process run again. */
  thaw(process: Process): void {
    process.isFrozen = false
    this.#waiting.push(...callsOf(process, this.#frozen))
    for (const call of callsOf(process, this.#waiting)) take(this.#frozen, call)
  }

  /** A process finds that its clock has gone on. What it gives up for that may happen all the same. */
  jump(process: Process, milliseconds: number): void {
    this.#trace?.event(process.name, `finds its clock ${milliseconds / 1000} s later`)
    enter(process)
    process.jump(milliseconds)
    for (const call of callsOf(process, this.#waiting)) {
      if (call.signal?.aborted !== true) continue
      take(this.#waiting, call)
      this.#deal(call, this.random.pick(ABANDONED) ?? 'late')
    }
  }

  #deal(call: Call, fate: Fate): void {
    const { effect, spoiled, error } = call.request
    if (fate === 'late') this.#late.push(call)
    if (fate === 'sent twice') outcomeOf(effect)
    const isAnswered = fate === 'done' || fate === 'sent twice' || fate === 'breaks off'
    const isDone = isAnswered || fate === 'answer lost' || fate === 'failed when done'
    const outcome = isDone ? outcomeOf(fate === 'breaks off' ? (spoiled ?? effect) : effect) : undefined
    this.#trace?.call(call.process.name, call.request, fate, outcome)
    if (!isAnswered) call.reject(error(fate))
    else if (outcome instanceof Error) call.reject(outcome)
    else call.resolve(outcome)
  }

  #arriveLate(): void {
    const call = this.#late[this.random.between(0, this.#late.length - 1)]
    if (call === undefined) return
    take(this.#late, call)
    const outcome = outcomeOf(call.request.effect)
    this.#trace?.call('(arrives)', call.request, 'done', outcome)
  }
}

/** The answer, or the error that is the answer. */
function outcomeOf(effect: () => unknown): unknown {
  try {
    return effect()
  } catch (error) {
    return error
  }
}

function callsOf(process: Process, calls: readonly Call[]): Call[] {
  return calls.filter((call) => call.process === process)
}

function take(calls: Call[], call: Call): void {
  const at = calls.indexOf(call)
  if (at !== -1) calls.splice(at, 1)
}
