import { InletError } from '#shared/pipeline/errors.ts'
import { inRanges } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { LiveFile } from '#shared/lake/iceberg/table-files.ts'
import { fromBytes } from '#shared/lake/iceberg/single-value.ts'
import { defersScores, type LogEntry } from '#shared/lake/log-entry.ts'
import { type EntryPlace, generationPrefix, type LogId } from '#shared/lake/log-keys.ts'
import { type LogStore, logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { TableMarks, TableOwner } from '#shared/lake/table-marks.ts'
import type { Table } from '#shared/pipeline/table.ts'

/** An entry of a log, rows of which wait for a score. */
export interface WaitingEntry {
  readonly id: LogId
  readonly log: LogStore
  readonly place: EntryPlace
  readonly entry: LogEntry
  /** Whether a row of it still waits, as far as was looked. */
  isWaiting: boolean
}

/**
 * The entries with rows that wait for a score, of those that the table has taken: by their markers, or all of them by the logs
 * themselves. A marker of an entry that has none is deleted; one without an entry may be of a writer at work, and stays.
 */
export async function waitingEntries(
  store: ObjectStore,
  owner: TableOwner,
  marks: TableMarks,
  { all }: { readonly all: boolean },
): Promise<WaitingEntry[]> {
  const found: WaitingEntry[] = []
  for await (const { id, log } of logsOf(store, generationPrefix(owner))) {
    const { next, amended } = marks.logs[log.prefix] ?? { next: 0, amended: {} }
    for await (const [place, entry] of all ? entriesIn(log) : markedIn(log)) {
      const isTaken = place.kind === 'commit' ? place.start < next : place.number < (amended[place.amends] ?? 0)
      if (isTaken && defersScores(entry)) found.push({ id, log, place, entry, isWaiting: false })
    }
  }
  return found
}

async function* markedIn(log: LogStore): AsyncIterable<[EntryPlace, LogEntry]> {
  for (const place of await log.waiting()) {
    const entry = await log.entryAt(place)
    if (entry === undefined) continue
    if (defersScores(entry)) yield [place, entry]
    else await log.deleteWaiting(place)
  }
}

async function* entriesIn(log: LogStore): AsyncIterable<[EntryPlace, LogEntry]> {
  for (const entries of [log.commits(), log.amendments()])
    for await (const entry of entries) {
      const { amends, start, number } = entry
      yield [amends === null ? { kind: 'commit', start } : { kind: 'amendment', amends, number }, entry]
    }
}

/** Finds the entry of a row. */
export class WaitingRows {
  readonly #entries = new Map<string, WaitingEntry[]>()

  constructor(entries: readonly WaitingEntry[]) {
    for (const entry of entries) {
      const name = nameOf(entry.id.epoch, entry.id.partition)
      this.#entries.set(name, [...(this.#entries.get(name) ?? []), entry])
    }
  }

  /** The entry that says that a row of its record waits for the score. */
  entryOf(row: Row, score: string): WaitingEntry | undefined {
    const entries = this.#entries.get(nameOf(Number(row['_epoch']), Number(row['_kafka_partition'])))
    const offset = Number(row['_offset'])
    return entries?.find(({ entry }) => inRanges(offset, entry.scores?.[score]?.deferred ?? []))
  }

  /** Whether a file may hold rows of them, as far as its statistics tell. */
  mayBeIn(file: LiveFile, { columns }: Table): boolean {
    const [epoch, partition, offset] = ['_epoch', '_kafka_partition', '_offset'].map((name) => {
      const column = columns.find((one) => one.name === name)
      if (column?.id === undefined) throw new InletError('TABLE_UNREADABLE', `the table has no column ${name}`)
      return boundsOf(file, column.id, name === '_offset' ? 'long' : 'int')
    }) as [Bounds, Bounds, Bounds]
    return [...this.#entries.values()].flat().some(({ id, entry }) => {
      const isOfLog = isWithin(id.epoch, epoch) && isWithin(id.partition, partition)
      return isOfLog && entry.end >= offset[0] && entry.start <= offset[1]
    })
  }
}

type Bounds = readonly [lower: number, upper: number]

function boundsOf({ lowerBounds, upperBounds }: LiveFile, id: number, type: string): Bounds {
  const [lower, upper] = [lowerBounds.get(id), upperBounds.get(id)]
  return [
    lower === undefined ? Number.NEGATIVE_INFINITY : Number(fromBytes(type, lower)),
    upper === undefined ? Number.POSITIVE_INFINITY : Number(fromBytes(type, upper)),
  ]
}

function isWithin(value: number, [lower, upper]: Bounds): boolean {
  return lower <= value && value <= upper
}

function nameOf(epoch: number, partition: number): string {
  return `${epoch}/${partition}`
}
