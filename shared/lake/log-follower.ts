import pMap from 'p-map'
import type { DataFile } from '#shared/pipeline/commit.ts'
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
  /** When the first of the commits was put, in milliseconds since 1970; null without one. */
  readonly since: number | null
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
  const found = (await log.datedStartsFrom(marks.next)).slice(0, limit)
  const commits = await pMap(found, ({ start }) => log.commitAt(start), { concurrency: READ_AHEAD })
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
  return { entries, marks: { next, amended }, markers, since: found[0]?.at ?? null }
}

/** How far a table has followed the logs of its pipeline. */
export interface FollowedLogs {
  /** By the prefix of the log. */
  readonly logs: Readonly<Record<string, LogMarks>>
  /** Whether amendments have to be looked for where no marker leads to them. */
  readonly rescan: boolean
}

/** What some logs hold that a table has not taken. */
export interface TableNews {
  /** Commits and amendments. */
  readonly entries: number
  /** Those of the table. */
  readonly files: readonly DataFile[]
  /** The marks of these logs once the table has taken the files, and the markers to be released then. */
  readonly logs: readonly { readonly log: LogStore; readonly marks: LogMarks; readonly markers: readonly Marker[] }[]
  /** Whether a log may hold more than the limit. */
  readonly isMore: boolean
  /** When the oldest of the commits was put, in milliseconds since 1970; null without one. */
  readonly since: number | null
}

/**
 * Follows logs for a table, each from where the table has got to.
 * @param limit commits of one log that are taken at the most
 * @throws InletError LOG_CORRUPT, as `newEntries` does
 */
export async function followLogs(
  logs: readonly LogStore[],
  table: string,
  before: FollowedLogs,
  limit: number,
): Promise<TableNews> {
  const news = await pMap(
    logs,
    async (log) => {
      const marks = before.logs[log.prefix] ?? NO_MARKS
      return { log, ...(await newEntries(log, table, marks, limit, before.rescan)) }
    },
    { concurrency: READ_AHEAD },
  )
  const entries = news.flatMap((some) => some.entries)
  return {
    entries: entries.length,
    files: entries.flatMap(({ files }) => files.filter((file) => file.table === table)),
    logs: news,
    since: news.reduce<number | null>((oldest, { since }) => earlier(oldest, since), null),
    isMore: news.some((some) => some.entries.filter(({ amends }) => amends === null).length >= limit),
  }
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other)
}

/** The marks once the table has taken the news. */
export function marksAfter(before: FollowedLogs, { logs }: TableNews): FollowedLogs {
  const marks = Object.fromEntries(logs.map(({ log, marks: after }) => [log.prefix, after]))
  return { logs: { ...before.logs, ...marks }, rescan: false }
}

/** Deletes the markers of news that the table has taken. */
export async function releaseNews({ logs }: TableNews, table: string): Promise<void> {
  for (const { log, marks, markers } of logs) await releaseMarkers(log, table, marks, markers)
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
