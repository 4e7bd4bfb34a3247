import { fromBytes } from '#shared/lake/iceberg/single-value.ts'
import type { LiveFile } from '#shared/lake/iceberg/table-files.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Table } from '#shared/pipeline/table.ts'
import type { WaitingEntry } from './waiting-entries.ts'

/** Finds the entries of rows, and the files that may have rows of entries: in an index, for there may be thousands of each. */
export class WaitingRows {
  readonly #logs = new Map<string, WaitingLog>()
  /** By epoch and partition, which is all that rows say of their log: one of each cluster. */
  readonly #byName = new Map<string, WaitingLog[]>()
  readonly #bounds: { readonly epoch: BoundsOf; readonly partition: BoundsOf; readonly offset: BoundsOf }

  constructor(entries: readonly WaitingEntry[], table: Table) {
    for (const entry of [...entries].sort((a, b) => a.entry.start - b.entry.start)) this.#logOf(entry).add(entry)
    this.#bounds = {
      epoch: boundsIn(table, '_epoch', 'int'),
      partition: boundsIn(table, '_kafka_partition', 'int'),
      offset: boundsIn(table, '_offset', 'long'),
    }
  }

  #logOf({ id, log: { prefix } }: WaitingEntry): WaitingLog {
    const known = this.#logs.get(prefix)
    if (known !== undefined) return known
    const log = new WaitingLog(id)
    this.#logs.set(prefix, log)
    const name = nameOf(id.epoch, id.partition)
    this.#byName.set(name, [...(this.#byName.get(name) ?? []), log])
    return log
  }

  /** The entry that says that a row of its record waits for the score. */
  entryOf(row: Row, score: string): WaitingEntry | undefined {
    const offset = Number(row['_offset'])
    for (const log of this.#byName.get(nameOf(Number(row['_epoch']), Number(row['_kafka_partition']))) ?? []) {
      const entry = log.entryOf(offset, score)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  /** Whether a file may hold rows of them, as far as its statistics tell. */
  mayBeIn(file: LiveFile): boolean {
    const [epochs, partitions] = [this.#bounds.epoch(file), this.#bounds.partition(file)]
    const offsets = this.#bounds.offset(file)
    for (const log of this.#logs.values())
      if (isWithin(log.id.epoch, epochs) && isWithin(log.id.partition, partitions) && log.overlaps(offsets)) return true
    return false
  }
}

/** What waits in one log: entries, and the offsets that wait for each score. */
class WaitingLog {
  readonly id: LogId
  /** Ascending by their starts; `reach` is the greatest end so far, as an amendment lies within the commit that it amends. */
  readonly #spans: { readonly start: number; readonly reach: number }[] = []
  /** By score; no record is in two entries of a log, so that they are disjoint. Ascending when they are asked. */
  readonly #deferred = new Map<string, Deferred[]>()
  #isSorted = true

  constructor(id: LogId) {
    this.id = id
  }

  /** Those with lesser starts are added before. */
  add(of: WaitingEntry): void {
    const { start, end, scores = {} } = of.entry
    this.#spans.push({ start, reach: Math.max(end, this.#spans.at(-1)?.reach ?? end) })
    for (const [score, { deferred }] of Object.entries(scores)) {
      const ranges = this.#deferred.get(score) ?? []
      for (const [first, last] of deferred) ranges.push({ start: first, last, of })
      this.#deferred.set(score, ranges)
    }
    this.#isSorted = false
  }

  entryOf(offset: number, score: string): WaitingEntry | undefined {
    if (!this.#isSorted) for (const ranges of this.#deferred.values()) ranges.sort((a, b) => a.start - b.start)
    this.#isSorted = true
    const found = lastFrom(this.#deferred.get(score) ?? [], offset)
    return found !== undefined && offset <= found.last ? found.of : undefined
  }

  overlaps([lower, upper]: Bounds): boolean {
    const found = lastFrom(this.#spans, upper)
    return found !== undefined && found.reach >= lower
  }
}

interface Deferred {
  readonly start: number
  readonly last: number
  readonly of: WaitingEntry
}

/** The last of those, ascending, that start at the offset or before it. */
function lastFrom<T extends { readonly start: number }>(ascending: readonly T[], offset: number): T | undefined {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ascending[middle] as T).start <= offset) low = middle + 1
    else high = middle
  }
  return ascending[low - 1]
}

type Bounds = readonly [lower: number, upper: number]
type BoundsOf = (file: LiveFile) => Bounds

function boundsIn({ columns }: Table, name: string, type: string): BoundsOf {
  const id = columns.find((one) => one.name === name)?.id
  if (id === undefined) throw new InletError('TABLE_UNREADABLE', `the table has no column ${name}`)
  return ({ lowerBounds, upperBounds }) => {
    const [lower, upper] = [lowerBounds.get(id), upperBounds.get(id)]
    return [
      lower === undefined ? Number.NEGATIVE_INFINITY : Number(fromBytes(type, lower)),
      upper === undefined ? Number.POSITIVE_INFINITY : Number(fromBytes(type, upper)),
    ]
  }
}

function isWithin(value: number, [lower, upper]: Bounds): boolean {
  return lower <= value && value <= upper
}

function nameOf(epoch: number, partition: number): string {
  return `${epoch}/${partition}`
}
