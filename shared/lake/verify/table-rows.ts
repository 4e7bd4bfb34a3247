import type { LogEntry } from '#shared/lake/log-entry.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import type { OffsetRange } from '#shared/pipeline/commit.ts'
import { united, without } from './offset-ranges.ts'
import { Examples, RowBook } from './row-book.ts'
import { walkRows } from './row-walk.ts'

/** Ranges that are kept before they are joined. */
const MANY = 10_000

/** The records of one log that have rows in a table, as its entries say. */
export class LoggedRecords {
  readonly id: Pick<LogId, 'epoch' | 'partition'>
  /** How many there are; which of the offsets were skipped, no entry says. */
  records = 0
  #offsets: OffsetRange[] = []

  constructor(id: Pick<LogId, 'epoch' | 'partition'>) {
    this.id = id
  }

  add({ covered, rejected, counts }: LogEntry): void {
    this.records += counts.written
    for (const range of without(united(covered), united(rejected))) this.#offsets.push(range)
    if (this.#offsets.length > MANY) this.#offsets = united(this.#offsets)
  }

  get offsets(): OffsetRange[] {
    return united(this.#offsets)
  }
}

/**
 * The rows of a table whose files are no longer those of the log, because another engine has put them together: each must be a
 * row of a record that has some, none may be there twice, and none may be missing.
 */
export class TableRows {
  readonly #books = new Map<string, { readonly logged: LoggedRecords; readonly book: RowBook }>()

  /** @returns undefined when a position does not tell which log a row is of: the table is filled from several clusters */
  static of(logs: readonly LoggedRecords[]): TableRows | undefined {
    const rows = new TableRows()
    for (const logged of logs) {
      const name = nameOf(logged.id.epoch, logged.id.partition)
      if (rows.#books.has(name)) return undefined
      rows.#books.set(name, { logged, book: new RowBook(logged.offsets) })
    }
    return rows
  }

  /**
   * Enters the rows of a data file.
   * @param name its ending tells the format
   * @returns what is wrong with the file by itself
   */
  async enter(name: string, body: Uint8Array): Promise<string[]> {
    const foreign = new Examples()
    const { fault } = await walkRows(name, body, ({ row, epoch, partition, offset, index }) => {
      const log = nameOf(epoch, partition)
      if (this.#books.get(log)?.book.enter(offset, index) !== true)
        foreign.add(`its row ${row} is row ${index} of offset ${offset} of ${log}, which the log does not have`)
    })
    return fault === undefined ? foreign.lines() : [fault]
  }

  /** Balances what was entered. @returns what is wrong */
  balance(): string[] {
    const faults: string[] = []
    for (const [log, { logged, book }] of this.#books) {
      const { records, faults: found } = book.balance()
      faults.push(...found.map((fault) => `of ${log}, ${fault}`))
      if (records !== logged.records)
        faults.push(`holds rows of ${records} records of ${log}, and the log has written ${logged.records}`)
    }
    return faults
  }
}

function nameOf(epoch: number, partition: number): string {
  return `partition ${partition} in epoch ${epoch}`
}
