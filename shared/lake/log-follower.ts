import pMap from 'p-map'
import { InletError } from '#shared/pipeline/errors.ts'
import type { LogEntry } from './log-entry.ts'
import type { LogStore, Marker } from './log-store.ts'

/** How far a table has followed a log. Kept with the table and changed in the same step as its data. */
export interface LogMarks {
  /** Start of the first commit that the table has not taken. */
  readonly next: number
  /** Start of an amended commit → how many of its amendments the table has taken. Never dropped. */
  readonly amended: Readonly<Record<number, number>>
}

const READ_AHEAD = 16

export const NO_MARKS: LogMarks = { next: 0, amended: {} }

/** What a log holds that a table has not taken. */
export interface NewEntries {
  readonly entries: readonly LogEntry[]
  /** The table's marks once it has taken the entries. */
  readonly marks: LogMarks
  /** The markers that led here; to be released once the marks are the table's. */
  readonly markers: readonly Marker[]
}

/**
 * Follows the chain from the marks, then the markers, and only then the amendments of the commits they name: in this
 * order an amendment that is put meanwhile has left its marker for the next time.
 * @param limit how many commits to take at the most
 * @param rescan looks for amendments where no marker leads to them, too
 * @throws InletError LOG_CORRUPT when the chain has a hole: a commit was deleted
 */
export async function newEntries(
  log: LogStore,
  table: string,
  marks: LogMarks,
  limit = Number.POSITIVE_INFINITY,
  rescan = false,
): Promise<NewEntries> {
  const starts = (await log.startsFrom(marks.next)).slice(0, limit)
  const commits = await pMap(starts, (start) => log.commitAt(start), { concurrency: READ_AHEAD })
  const entries: LogEntry[] = []
  let { next } = marks
  for (const commit of commits) {
    if (commit?.start !== next)
      throw new InletError(
        'LOG_CORRUPT',
        `${log.prefix}: no commit covers offset ${next}; "verify" says what else is wrong`,
      )
    entries.push(commit)
    next = commit.end + 1
  }
  const markers = await log.markers(table)
  const amended: Record<number, number> = { ...marks.amended }
  const places = rescan ? await log.amendmentPlaces() : markers
  for (const amends of new Set(places.map((place) => place.amends))) {
    let number = amended[amends] ?? 0
    for (let entry = await log.amendmentAt(amends, number); entry; entry = await log.amendmentAt(amends, number)) {
      entries.push(entry)
      number += 1
    }
    if (number > 0) amended[amends] = number
  }
  return { entries, marks: { next, amended }, markers }
}

/** Deletes the markers whose amendments the table's marks count; the others stay until they are. */
export async function releaseMarkers(
  log: LogStore,
  table: string,
  marks: LogMarks,
  markers: readonly Marker[],
): Promise<void> {
  for (const marker of markers) {
    if ((marks.amended[marker.amends] ?? 0) > marker.number) await log.deleteMarker(table, marker)
  }
}
