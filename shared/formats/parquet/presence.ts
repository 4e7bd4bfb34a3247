import { grown } from './growth.ts'
import { hybridBytes } from './hybrid.ts'

/**
 * Which rows of a column have a value: the definition levels of a column that lies in no other (Parquet format, README.md,
 * "Nested Encoding").
 */
export class Presence {
  readonly #isNullable: boolean
  #levels = new Uint8Array(0)
  #rows = 0
  #nulls = 0

  constructor(isNullable: boolean) {
    this.#isNullable = isNullable
  }

  /** Rows, with a value or without. */
  get rows(): number {
    return this.#rows
  }

  get nulls(): number {
    return this.#nulls
  }

  get memory(): number {
    return this.#levels.byteLength
  }

  push(isThere: boolean): void {
    if (this.#isNullable) {
      if (this.#rows === this.#levels.length) this.#levels = grown(this.#levels)
      this.#levels[this.#rows] = isThere ? 1 : 0
    }
    this.#rows += 1
    if (!isThere) this.#nulls += 1
  }

  /** @returns whether the row that was taken back had a value */
  pop(): boolean {
    this.#rows -= 1
    const isThere = this.isThere(this.#rows)
    if (!isThere) this.#nulls -= 1
    return isThere
  }

  isThere(row: number): boolean {
    return !this.#isNullable || this.#levels[row] === 1
  }

  /** The definition levels of some rows, as a page has them; none where every row must have a value. */
  levels(from: number, to: number): Uint8Array {
    return hybridBytes(this.#levels.subarray(from, to), this.#isNullable ? to - from : 0, 1)
  }

  nullsOf(from: number, to: number): number {
    if (this.#nulls === 0 || to - from === this.#rows) return this.#nulls
    let nulls = 0
    for (let row = from; row < to; row++) if (!this.isThere(row)) nulls += 1
    return nulls
  }
}
