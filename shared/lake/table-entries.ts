import pMap from 'p-map'
import { InletError } from '#shared/pipeline/errors.ts'
import { currentSnapshot } from './iceberg/table-metadata.ts'
import type { OpenCatalog } from './iceberg/open-catalog.ts'
import type { LogEntry } from './log-entry.ts'
import { type LogMarks, NO_MARKS } from './log-follower.ts'
import { generationPrefix, type LogId, MAX_OFFSET } from './log-keys.ts'
import { type LogStore, logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'
import { marksOf, type TableOwner } from './table-marks.ts'

const READ_AHEAD = 16

/** An entry, and when it was put, by the store's clock, in milliseconds since 1970. */
export interface DatedEntry {
  readonly entry: LogEntry
  readonly at: number
}

/** How far a log was read before: offset behind its last commit, and of amended commits how many amendments. */
export interface ReadPlace {
  readonly next: number
  readonly amended: Readonly<Record<string, number>>
}

/** What one log has for a table. */
export interface TableLogEntries {
  readonly id: LogId
  readonly log: string
  /** What the table has taken since the place, and the place behind it. */
  readonly taken: readonly DatedEntry[]
  readonly place: ReadPlace
  /** What the table has not taken. */
  readonly pending: readonly DatedEntry[]
  /** Offset behind the last commit of the log. */
  readonly end: number
  /** Whether there is more than was read. */
  readonly isMore: boolean
  /** Whether its epoch is over. */
  readonly isSealed: boolean
}

export interface TableEntries {
  readonly tableId: string
  /** The current one, in decimal; null when there is none. */
  readonly snapshotId: string | null
  /** Whether the table has less than was read before: it was rolled back, or is another one. Then all of it is read anew. */
  readonly isAnew: boolean
  readonly logs: readonly TableLogEntries[]
}

export interface ReadBefore {
  readonly tableId: string
  /** By the prefix of the log. */
  readonly logs: Readonly<Record<string, ReadPlace>>
}

const BEGINNING: ReadPlace = { next: 0, amended: {} }

/**
 * Reads what a table has taken of its logs since, and what it has not taken yet. The table is asked first: what it has is in the
 * snapshot that is told.
 * @param limit commits of one log that are read at the most
 * @param signal aborted when no further log shall be read: of the others there is more then
 * @returns undefined when the catalog has no such table
 * @throws InletError TABLE_DIVERGED when its marks are not those of the table; LOG_CORRUPT when a commit is missing
 */
export async function readTableEntries(
  { store, tables }: { readonly store: ObjectStore; readonly tables: OpenCatalog },
  owner: TableOwner,
  before: ReadBefore | undefined,
  limit: number,
  signal?: AbortSignal,
): Promise<TableEntries | undefined> {
  const loaded = await tables.catalog.load(owner.table)
  if (loaded === undefined) return undefined
  const { metadata } = loaded
  const tableId = metadata['table-uuid']
  const snapshot = currentSnapshot(metadata)
  const marks = await marksOf(store, metadata, owner)
  const isAnew = before === undefined || before.tableId !== tableId || hasLess(marks?.logs ?? {}, before.logs)
  const places = isAnew ? {} : before.logs
  const logs: TableLogEntries[] = []
  for await (const { id, log } of logsOf(store, generationPrefix(owner))) {
    const own = marks?.logs[log.prefix] ?? NO_MARKS
    const place = places[log.prefix] ?? BEGINNING
    const options = { limit, rescan: marks?.rescan ?? true }
    const entries = signal?.aborted === true ? unread(place) : await logEntries(log, owner.table, own, place, options)
    logs.push({ id, log: log.prefix, ...entries })
  }
  return { tableId, snapshotId: snapshot === undefined ? null : String(snapshot['snapshot-id']), isAnew, logs }
}

/** Whether the marks are behind a place that was reached before. */
function hasLess(marks: Readonly<Record<string, LogMarks>>, places: Readonly<Record<string, ReadPlace>>): boolean {
  return Object.entries(places).some(([log, { next, amended }]) => {
    const mark = marks[log] ?? NO_MARKS
    const taken: Readonly<Record<string, number>> = mark.amended
    return mark.next < next || Object.entries(amended).some(([start, number]) => (taken[start] ?? 0) < number)
  })
}

/** A log for which there was no time. */
function unread(place: ReadPlace): Omit<TableLogEntries, 'id' | 'log'> {
  return { taken: [], place, pending: [], end: place.next, isMore: true, isSealed: false }
}

async function logEntries(
  log: LogStore,
  table: string,
  marks: LogMarks,
  place: ReadPlace,
  { limit, rescan }: { readonly limit: number; readonly rescan: boolean },
): Promise<Omit<TableLogEntries, 'id' | 'log'>> {
  const starts = await log.datedStartsFrom(place.next)
  const commits = await pMap(starts.slice(0, limit), (dated) => commitAt(log, dated), { concurrency: READ_AHEAD })
  const taken = commits.filter(({ entry }) => entry.start < marks.next)
  const pending = commits.filter(({ entry }) => entry.start >= marks.next)
  const amendments = await takenAmendments(log, marks, place)
  pending.push(...(await pendingAmendments(log, table, marks, rescan)))
  const last = commits.at(-1)?.entry
  return {
    taken: [...taken, ...amendments],
    pending,
    place: { next: endOf(taken.at(-1)) ?? place.next, amended: { ...marks.amended } },
    end: endOf(commits.at(-1)) ?? place.next,
    isMore: starts.length > limit,
    // Behind a seal there is no offset.
    isSealed: last === undefined ? place.next >= MAX_OFFSET : last.kind === 'seal',
  }
}

async function commitAt(log: LogStore, { start, at }: { readonly start: number; readonly at: number }) {
  const entry = await log.commitAt(start)
  if (entry !== undefined) return { entry, at }
  throw new InletError('LOG_CORRUPT', `${log.prefix}: the commit at ${start} was listed but cannot be read`)
}

function endOf(dated: DatedEntry | undefined): number | undefined {
  return dated === undefined ? undefined : dated.entry.end + 1
}

async function takenAmendments(log: LogStore, { amended }: LogMarks, place: ReadPlace): Promise<DatedEntry[]> {
  const found: DatedEntry[] = []
  for (const [start, number] of Object.entries(amended)) {
    const before = place.amended[start] ?? 0
    if (number <= before) continue
    const entries = await log.datedAmendments(Number(start), before)
    found.push(...entries.filter(({ entry }) => entry.number < number))
  }
  return found
}

/** A marker is put before its amendment: where there is none for a table, there is nothing that it has not taken. */
async function pendingAmendments(
  log: LogStore,
  table: string,
  { amended }: LogMarks,
  rescan: boolean,
): Promise<DatedEntry[]> {
  const places = rescan ? await log.amendmentPlaces() : await log.markers(table)
  const found: DatedEntry[] = []
  for (const amends of new Set(places.map((place) => place.amends)))
    found.push(...(await log.datedAmendments(amends, amended[amends] ?? 0)))
  return found
}
