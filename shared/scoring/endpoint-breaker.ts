import { Breaker, type BreakerState } from './breaker.ts'

/** A state, and which of the changes it is. */
export interface RememberedState extends BreakerState {
  readonly change: number
}

/** Where breakers are remembered, so that a cold start need not find out again that an endpoint is away. */
export interface BreakerMemory {
  read(endpoint: string): Promise<RememberedState | undefined>
  /** Remembers a change, if nobody has remembered another one behind the same. @returns whether it did */
  write(endpoint: string, state: RememberedState): Promise<boolean>
}

/**
 * The breaker of an endpoint, which all processes share as far as they look: when they begin, and before each probe. It is
 * written only when the endpoint went away or came back. What is remembered is advice: where it cannot be read or written, each
 * process finds out by itself.
 */
export class EndpointBreaker {
  readonly #breaker = new Breaker()
  readonly #endpoint: string
  readonly #memory: BreakerMemory
  #change = 0
  #isRead = false

  constructor(endpoint: string, memory: BreakerMemory) {
    this.#endpoint = endpoint
    this.#memory = memory
  }

  get isOpen(): boolean {
    return this.#breaker.state.isOpen
  }

  /** Whether a request would be let through now, be it as a probe. */
  mayAsk(now: number): boolean {
    return !this.isOpen || this.#breaker.isDue(now)
  }

  /** Looks up what others have found out, when there is reason to. */
  async refresh(now: number): Promise<void> {
    if (this.#isRead && !this.#breaker.isDue(now)) return
    this.#isRead = true
    const remembered = await this.#memory.read(this.#endpoint).catch(() => undefined)
    if (remembered === undefined || remembered.change <= this.#change) return
    this.#change = remembered.change
    this.#breaker.adopt(remembered)
  }

  admits(now: number): boolean {
    return this.#breaker.admits(now)
  }

  async answered(now: number): Promise<void> {
    if (this.#breaker.answered(now)) await this.#remember()
  }

  isSilentSince(time: number): boolean {
    return this.#breaker.isSilentSince(time)
  }

  isDecidedBy(weight: number): boolean {
    return this.#breaker.isDecidedBy(weight)
  }

  async failed(weight: number, now: number): Promise<void> {
    if (this.#breaker.failed(weight, now)) await this.#remember()
  }

  abandoned(): void {
    this.#breaker.abandoned()
  }

  async #remember(): Promise<void> {
    this.#change += 1
    await this.#memory.write(this.#endpoint, { ...this.#breaker.state, change: this.#change }).catch(() => false)
  }
}
