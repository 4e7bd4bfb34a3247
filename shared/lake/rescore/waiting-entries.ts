import pMap from 'p-map'
import { defersScores, type LogEntry } from '#shared/lake/log-entry.ts'
import { type EntryPlace, generationPrefix, type LogId } from '#shared/lake/log-keys.ts'
import { type LogStore, logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { TableMarks, TableOwner } from '#shared/lake/table-marks.ts'

/** One at a time, those of a long outage would take longer in S3 than a function has. */
const READ_AHEAD = 16

/** Where in a log an entry is, rows of which may wait for a score. */
export interface WaitingPlace {
  readonly id: LogId
  readonly log: LogStore
  readonly place: EntryPlace
}

/** An entry of a log, rows of which wait for a score. */
export interface WaitingEntry extends WaitingPlace {
  readonly entry: LogEntry
  /** Whether a row of it still waits, as far as was looked. */
  isWaiting: boolean
}

/** Where rows may wait, told by keys alone: those of markers or, for `all`, of everything in the logs. */
export async function waitingPlaces(
  store: ObjectStore,
  owner: TableOwner,
  { all }: { readonly all: boolean },
): Promise<WaitingPlace[]> {
  const found: WaitingPlace[] = []
  for await (const { id, log } of logsOf(store, generationPrefix(owner)))
    for (const place of all ? await placesIn(log) : await log.waiting()) found.push({ id, log, place })
  return found
}

async function placesIn(log: LogStore): Promise<EntryPlace[]> {
  const commits = await log.startsFrom(0)
  const amendments = await log.amendmentPlaces()
  return [
    ...commits.map((start): EntryPlace => ({ kind: 'commit', start })),
    ...amendments.map((place): EntryPlace => ({ kind: 'amendment', ...place })),
  ]
}

/**
 * The entries at these places that have rows that wait. The marker of one that has none is deleted, unless it is to be kept; one
 * without an entry may be of a writer at work, and stays.
 */
export async function waitingEntries(
  places: readonly WaitingPlace[],
  { keep }: { readonly keep: boolean },
): Promise<WaitingEntry[]> {
  const read = async (of: WaitingPlace): Promise<WaitingEntry[]> => {
    const entry = await of.log.entryAt(of.place)
    if (entry === undefined) return []
    if (defersScores(entry)) return [{ ...of, entry, isWaiting: false }]
    if (!keep) await of.log.deleteWaiting(of.place)
    return []
  }
  return (await pMap(places, read, { concurrency: READ_AHEAD })).flat()
}

/** Whether a table has taken the entry from its log. */
export function isTaken({ log, place }: WaitingPlace, marks: TableMarks): boolean {
  const { next, amended } = marks.logs[log.prefix] ?? { next: 0, amended: {} }
  return place.kind === 'commit' ? place.start < next : place.number < (amended[place.amends] ?? 0)
}
