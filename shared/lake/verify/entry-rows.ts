import type { LogEntry } from '#shared/lake/log-entry.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { type DataFile, inRanges, type OffsetRange } from '#shared/pipeline/commit.ts'
import { isDeadLetterTable } from '#shared/pipeline/dead-letter-name.ts'
import { united, without } from './offset-ranges.ts'
import { Examples, RowBook } from './row-book.ts'
import { walkRows } from './row-walk.ts'

/** The rows of one entry, in all of its data files, against what it says of its records. */
export class EntryRows {
  readonly #entry: LogEntry
  readonly #id: LogId
  readonly #covered: readonly OffsetRange[]
  readonly #written: RowBook
  readonly #rejected: RowBook

  constructor(entry: LogEntry, id: LogId) {
    this.#entry = entry
    this.#id = id
    this.#covered = united(entry.covered)
    const rejected = united(entry.rejected)
    this.#written = new RowBook(without(this.#covered, rejected))
    this.#rejected = new RowBook(rejected)
  }

  /**
   * Enters the rows of a data file.
   * @returns what is wrong with the file by itself: rows of records that it cannot hold, or another number of rows
   */
  async enter({ path, table, rows }: DataFile, body: Uint8Array): Promise<string[]> {
    const isDeadLetters = isDeadLetterTable(table)
    const book = isDeadLetters ? this.#rejected : this.#written
    const [elsewhere, foreign] = [new Examples(), new Examples()]
    const walk = await walkRows(path, body, ({ row, epoch, partition, offset, index }) => {
      if (epoch !== this.#id.epoch || partition !== this.#id.partition)
        elsewhere.add(`its row ${row} is of partition ${partition} in epoch ${epoch}`)
      else if (!book.enter(offset, index))
        foreign.add(`its row ${row} is row ${index} of offset ${offset}, ${this.#why(offset, isDeadLetters)}`)
    })
    if (walk.fault !== undefined) return [walk.fault]
    const counted = walk.rows === rows ? [] : [`holds ${walk.rows} rows, not ${rows}`]
    return [...counted, ...elsewhere.lines(), ...foreign.lines()]
  }

  /**
   * Balances what was entered: every row of a record once, and as many records as the entry counts.
   * @returns what is wrong
   */
  balance(): string[] {
    const { counts } = this.#entry
    const [written, rejected] = [this.#written.balance(), this.#rejected.balance()]
    const faults = [...written.faults, ...rejected.faults.map((fault) => `among its dead letters, ${fault}`)]
    if (written.records !== counts.written)
      faults.push(`its files hold rows of ${written.records} records, but it counts ${counts.written} as written`)
    if (rejected.firstWithout !== undefined)
      faults.push(`offset ${rejected.firstWithout} was rejected, but there is no dead letter of it`)
    return faults
  }

  #why(offset: number, isDeadLetter: boolean): string {
    if (!inRanges(offset, this.#covered)) return 'which the entry does not cover'
    if (isDeadLetter === inRanges(offset, this.#entry.rejected)) return 'which no row can be'
    return isDeadLetter ? 'whose record was not rejected' : 'whose record was rejected'
  }
}
