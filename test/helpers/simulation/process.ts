import type { Fate } from './fates.ts'
import type { Host, Timer } from './sandbox.ts'
import type { Schedule } from './schedule.ts'

/** What a process asks of the world: of the store, of a catalog, of its clock, or that its answer be heard. */
export interface Request {
  readonly operation: string
  /** Of a list its prefix. */
  readonly key: string
  /** Makes it happen. @returns the answer @throws what the client throws when the answer is an error */
  readonly effect: () => unknown
  /** What the client throws when something goes wrong on the way. */
  readonly error: (fate: Fate) => Error
  /** An answer that breaks off. */
  readonly spoiled?: () => unknown
}

/** A request under way. */
export interface Call {
  readonly process: Process
  readonly request: Request
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  /** Aborted when the client gives up. */
  readonly signal: AbortSignal | undefined
  /** The step before which it is not let through. */
  heldUntil: number
}

/** A timer that is due sooner than this is one that somebody waits for; any other is a deadline. */
const SHORT_MS = 5000

interface Deadline {
  readonly due: number
  readonly work: () => void
}

/** A running program: its clock, its timers and, while it is let run, its calls. */
export class Process implements Host {
  readonly name: string
  /** Milliseconds since it began. */
  now = 0
  /** How many calls it has made. */
  calls = 0
  isAlive = true
  /** Not let run, as an instance of a function between two invocations: what it has under way waits. */
  isFrozen = false
  readonly #schedule: Schedule
  readonly #deadlines = new Set<Deadline>()

  constructor(name: string, schedule: Schedule) {
    this.name = name
    this.#schedule = schedule
  }

  /** Waits until the schedule lets the request through. */
  call(request: Request, signal?: AbortSignal): Promise<unknown> {
    this.calls += 1
    return new Promise((resolve, reject) => {
      this.#schedule.add({ process: this, request, resolve, reject, signal, heldUntil: 0 })
    })
  }

  later(work: () => void, milliseconds: number): Timer {
    if (milliseconds < SHORT_MS) {
      const request: Request = { operation: 'wait', key: '', effect: work, error: unfailing }
      const nap: Call = { process: this, request, resolve() {}, reject() {}, signal: undefined, heldUntil: 0 }
      this.#schedule.add(nap)
      return { cancel: () => this.#schedule.remove(nap) }
    }
    const deadline: Deadline = { due: this.now + milliseconds, work }
    this.#deadlines.add(deadline)
    return { cancel: () => this.#deadlines.delete(deadline) }
  }

  /** Its clock goes on by so much at once, and what was due meanwhile is done. */
  jump(milliseconds: number): void {
    this.now += milliseconds
    for (const deadline of this.#deadlines) {
      if (deadline.due <= this.now && this.#deadlines.delete(deadline)) deadline.work()
    }
  }

  uuid(): string {
    return this.#schedule.uuid()
  }

  random(): number {
    return this.#schedule.random.next()
  }
}

/** Of what does not go over the network. */
export function unfailing(): never {
  throw new Error('nothing can go wrong with this on the way')
}
