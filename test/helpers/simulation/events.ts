import type { Odds, Random } from './random.ts'

/**
 * What befalls a schedule, in the order in which it does: each thing has an ordinal, and those that are masked do not
 * happen. So a schedule that fails can be tried again with less in it.
 */
export class Events {
  /** Ordinals of what has happened. */
  readonly happened: number[] = []
  readonly #random: Random
  readonly #masked: ReadonlySet<number>
  #ordinal = 0

  constructor(random: Random, masked: ReadonlySet<number> = new Set()) {
    this.#random = random
    this.#masked = masked
  }

  /** Whether something happens, as often as the probability says. */
  happens(probability: number): boolean {
    return this.#random.chance(probability) && this.#isLetHappen()
  }

  /** Which of several things happens; mostly none. */
  one<K extends string>(odds: Odds<K>): K | undefined {
    const what = this.#random.event(odds)
    return what !== undefined && this.#isLetHappen() ? what : undefined
  }

  #isLetHappen(): boolean {
    const ordinal = this.#ordinal++
    if (this.#masked.has(ordinal)) return false
    this.happened.push(ordinal)
    return true
  }
}
