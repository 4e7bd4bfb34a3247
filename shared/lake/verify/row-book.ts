import { type OffsetRange, rangesSize } from '#shared/pipeline/commit.ts'

/** What the rows of some records come to. */
export interface RowAccount {
  /** Records that have a row. */
  readonly records: number
  /** The offset of the first record that has none. */
  readonly firstWithout: number | undefined
  readonly faults: readonly string[]
}

/**
 * Which rows there are of the records that may have some: eight bytes for each, in whatever order and from whatever file
 * they come.
 */
export class RowBook {
  readonly #offsets: readonly OffsetRange[]
  /** How many offsets lie before each range. */
  readonly #before: readonly number[]
  /** The number of the record among those that may have rows, times 2³², plus the row's index. */
  #rows = new BigUint64Array(64)
  #count = 0

  /** @param offsets of the records that may have rows, ascending */
  constructor(offsets: readonly OffsetRange[]) {
    this.#offsets = offsets
    let before = 0
    this.#before = offsets.map(([first, last]) => {
      const sum = before
      before += last - first + 1
      return sum
    })
  }

  /** @returns false when the record at the offset may have no rows, or the index cannot be one */
  enter(offset: number, index: number): boolean {
    const record = this.#recordAt(offset)
    if (record === undefined || index < 0 || index >= 2 ** 32) return false
    if (this.#count === this.#rows.length) {
      const larger = new BigUint64Array(2 * this.#count)
      larger.set(this.#rows)
      this.#rows = larger
    }
    this.#rows[this.#count++] = (BigInt(record) << 32n) | BigInt(index)
    return true
  }

  /** Balances the book: the rows of a record are numbered from 0 without a hole, and none is there twice. */
  balance(): RowAccount {
    const rows = this.#rows.subarray(0, this.#count).sort()
    const [twice, missing] = [new Examples(), new Examples()]
    let firstWithout: number | undefined
    let [records, record, index] = [0, -1, -1]
    for (const row of rows) {
      const [nextRecord, nextIndex] = [Number(row >> 32n), Number(row & 0xffffffffn)]
      if (nextRecord !== record) {
        if (nextRecord > record + 1) firstWithout ??= record + 1
        records += 1
        index = -1
      }
      if (nextIndex === index) twice.add(`row ${nextIndex} of offset ${this.#offsetOf(nextRecord)} is there twice`)
      else if (nextIndex !== index + 1)
        missing.add(
          `row ${index + 1} of offset ${this.#offsetOf(nextRecord)} is missing, but there is row ${nextIndex}`,
        )
      ;[record, index] = [nextRecord, nextIndex]
    }
    if (record + 1 < rangesSize(this.#offsets)) firstWithout ??= record + 1
    return {
      records,
      firstWithout: firstWithout === undefined ? undefined : this.#offsetOf(firstWithout),
      faults: [...twice.lines(), ...missing.lines()],
    }
  }

  #recordAt(offset: number): number | undefined {
    let low = 0
    let high = this.#offsets.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const [first, last] = this.#offsets[middle] as OffsetRange
      if (offset < first) high = middle - 1
      else if (offset > last) low = middle + 1
      else return (this.#before[middle] as number) + offset - first
    }
    return undefined
  }

  #offsetOf(record: number): number {
    const at = this.#before.findLastIndex((before) => before <= record)
    return (this.#offsets[at]?.[0] ?? 0) + record - (this.#before[at] ?? 0)
  }
}

/** Many faults of one kind, told by the first. */
export class Examples {
  #first: string | undefined
  #count = 0

  add(example: string): void {
    this.#first ??= example
    this.#count += 1
  }

  lines(): string[] {
    if (this.#first === undefined) return []
    return [this.#count === 1 ? this.#first : `${this.#first}, and ${this.#count - 1} more like it`]
  }
}
