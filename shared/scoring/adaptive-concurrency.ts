const BEGIN_WITH = 4
/** Sockets of the client. */
export const MOST_REQUESTS = 64
/** An answer that takes so many times the usual still counts as usual. */
const FLAT = 1.5
/** How fast what is usual follows answers that take longer: in about 20 of them. */
const FOLLOW = 0.05

/**
 * How many requests an endpoint gets at a time: one more with each round of answers as long as they come as fast as before, half
 * as many when it throttles. Neither knows its instances, nor who else asks it.
 */
export class AdaptiveConcurrency {
  #limit = BEGIN_WITH
  #running = 0
  #usualMs: number | undefined
  /** When it was halved last: throttles of requests that were under way then say nothing new. */
  #halvedAt = Number.NEGATIVE_INFINITY
  readonly #waiting: (() => void)[] = []

  /** Requests that may be under way. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Waits until a request may begin. @returns false when the signal aborts before */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (this.#running < this.limit) {
      this.#running += 1
      return true
    }
    return new Promise((resolve) => {
      const begin = (): void => {
        signal.removeEventListener('abort', give)
        this.#running += 1
        resolve(true)
      }
      const give = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1)
        signal.removeEventListener('abort', give)
        resolve(false)
      }
      this.#waiting.push(begin)
      signal.addEventListener('abort', give)
    })
  }

  /** A request is over. */
  leave(): void {
    this.#running -= 1
    while (this.#running < this.limit) {
      const begin = this.#waiting.shift()
      if (begin === undefined) return
      begin()
    }
  }

  /** An answer came after so many milliseconds. */
  answered(ms: number): void {
    this.#usualMs ??= ms
    if (ms <= this.#usualMs * FLAT) this.#limit = Math.min(MOST_REQUESTS, this.#limit + 1 / this.#limit)
    this.#usualMs = ms < this.#usualMs ? ms : this.#usualMs + (ms - this.#usualMs) * FOLLOW
  }

  /** A request that had begun then was throttled. Milliseconds since 1970, as `now`. */
  throttled(begun: number, now: number): void {
    if (begun <= this.#halvedAt) return
    this.#limit = Math.max(1, this.#limit / 2)
    this.#halvedAt = now
  }
}
