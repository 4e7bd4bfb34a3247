/**
 * Whether an endpoint is worth asking. After some failures in a row it is taken to be away, and nobody waits for it: from time to
 * time one request, a probe, finds out whether it is back. Computes only; who remembers it is `endpoint-breaker.ts`.
 */

/** What outlives the process. Times are milliseconds since 1970. */
export interface BreakerState {
  readonly isOpen: boolean
  readonly since: number
  /** When it is asked again. */
  readonly probeAt: number
}

/** What failures of a kind weigh; so much in a row opens the breaker. */
const OPENS_AT = 10
const FIRST_PAUSE_MS = 5000
const LONGEST_PAUSE_MS = 300_000

export class Breaker {
  #state: BreakerState = { isOpen: false, since: 0, probeAt: 0 }
  #weight = 0
  #pauseMs = FIRST_PAUSE_MS
  #isProbing = false
  #answeredAt = Number.NEGATIVE_INFINITY

  get state(): BreakerState {
    return this.#state
  }

  /** What another process has found out since. */
  adopt(state: BreakerState): void {
    if (state.isOpen !== this.#state.isOpen) this.#pauseMs = FIRST_PAUSE_MS
    this.#weight = 0
    this.#state = state
  }

  /** Whether it is time to find out more. */
  isDue(now: number): boolean {
    return this.#state.isOpen && !this.#isProbing && now >= this.#state.probeAt
  }

  /** Whether a request may begin. While it is open, only a probe may, one at a time: it ends with one of the calls below. */
  admits(now: number): boolean {
    if (!this.#state.isOpen) return true
    if (!this.isDue(now)) return false
    this.#isProbing = true
    return true
  }

  /** The endpoint has answered, be it that it has too much to do. @returns whether it was taken to be away */
  answered(now: number): boolean {
    this.#answeredAt = now
    this.#weight = 0
    this.#isProbing = false
    if (!this.#state.isOpen) return false
    this.#state = { isOpen: false, since: now, probeAt: now }
    this.#pauseMs = FIRST_PAUSE_MS
    return true
  }

  /** Whether nothing was answered since then. */
  isSilentSince(time: number): boolean {
    return this.#answeredAt < time
  }

  /** Whether one more failure of this weight says that the endpoint is away, be it still. */
  isDecidedBy(weight: number): boolean {
    return this.#state.isOpen || this.#weight + weight >= OPENS_AT
  }

  /** A request has failed. @returns whether the endpoint is taken to be away from now on, and was not before */
  failed(weight: number, now: number): boolean {
    this.#weight += weight
    if (this.#state.isOpen) {
      if (!this.#isProbing) return false
      this.#isProbing = false
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
      this.#state = { ...this.#state, probeAt: now + this.#pauseMs }
      return false
    }
    if (this.#weight < OPENS_AT) return false
    this.#state = { isOpen: true, since: now, probeAt: now + this.#pauseMs }
    return true
  }

  /** A request was given up, and nothing is known of the endpoint. */
  abandoned(): void {
    this.#isProbing = false
  }
}
