/** Things that exclude each other, and how often each happens. */
export type Odds<K extends string> = readonly (readonly [what: K, probability: number])[]

/** Numbers that depend on nothing but a seed (mulberry32), so that whatever they decide can be repeated. */
export class Random {
  #state: number

  /** @param stream which of the independent sequences of a seed, from 0 to 7 */
  constructor(seed: number, stream = 0) {
    this.#state = Math.imul(8 * seed + stream, 0x9e3779b1)
  }

  /** At least 0 and less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** True as often as the probability says. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** An integer, both bounds included. */
  between(least: number, greatest: number): number {
    return least + Math.floor(this.next() * (greatest - least + 1))
  }

  /** One of several things, by their probabilities; mostly none. */
  event<K extends string>(odds: Odds<K>): K | undefined {
    let roll = this.next()
    for (const [what, probability] of odds) {
      roll -= probability
      if (roll < 0) return what
    }
    return undefined
  }

  /** @returns undefined for an empty list */
  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.next() * list.length)]
  }

  shuffled<T>(list: readonly T[]): T[] {
    const copy = [...list]
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.between(0, i)
      ;[copy[i], copy[j]] = [copy[j] as T, copy[i] as T]
    }
    return copy
  }

  /** A list in pieces of 1 to so many elements. */
  pieces<T>(list: readonly T[], longest: number): T[][] {
    const pieces: T[][] = []
    for (let from = 0; from < list.length; from += pieces.at(-1)?.length ?? 0)
      pieces.push(list.slice(from, from + this.between(1, longest)))
    return pieces
  }
}
