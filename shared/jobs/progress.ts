/**
 * How far a table has come, told by the log entries that its snapshots hold: of each log the watermark, of each window what it
 * holds. Nothing but a function of these entries: it is kept to be read quickly, and can be made again from the log at any time.
 */
import type { PartitionValues } from '#shared/pipeline/commit.ts'
import { partitionTimes, type Windows, windowName, windowsWithin } from '#shared/pipeline/time-window.ts'

/** Files below this many bytes are small: they are what a compaction makes fewer of. */
const SMALL_FILE_BYTES = 32 * 1024 * 1024

/** A commit or an amendment, as far as progress is told by it. Times in milliseconds since 1970. */
export interface Arrival {
  /** When it was put, by the store's clock. */
  readonly at: number
  /** The greatest timestamp of its Kafka records. */
  readonly kafkaTime: number | null
  /** The greatest event time of its rows, in the column of the windows. */
  readonly watermark: number | null
  /** Those of the table. */
  readonly files: readonly ArrivedFile[]
}

export interface ArrivedFile {
  readonly partition: PartitionValues
  readonly rows: number
  readonly bytes: number
  /** The least and the greatest event time of its rows; null where statistics do not say it. */
  readonly times: readonly [earliest: number, latest: number] | null
}

/** What the table has of one log. */
export interface LogProgress {
  /** Offset behind the last commit that is counted here. */
  readonly next: number
  /** Start of an amended commit → how many of its amendments are counted here. */
  readonly amended: Readonly<Record<string, number>>
  /** The greatest event time that can be believed; null while there is none. */
  readonly watermark: number | null
  /** When the last of its entries was put. */
  readonly lastAt: number
}

export interface WindowProgress {
  readonly rows: number
  readonly smallFiles: number
  /** When the last rows came. */
  readonly lastAt: number
}

export interface Progress {
  readonly tableId: string
  /** By the prefix of the log. */
  readonly logs: Readonly<Record<string, LogProgress>>
  /** By the name of the window. */
  readonly windows: Readonly<Record<string, WindowProgress>>
  /** Of the table. */
  readonly rows: number
  readonly smallFiles: number
}

export const NO_PROGRESS: LogProgress = { next: 0, amended: {}, watermark: null, lastAt: 0 }

export function emptyProgress(tableId: string): Progress {
  return { tableId, logs: {}, windows: {}, rows: 0, smallFiles: 0 }
}

/** What the table has taken of one log since. */
export interface LogNews {
  readonly log: string
  readonly next: number
  readonly amended: Readonly<Record<string, number>>
  readonly arrivals: readonly Arrival[]
}

/**
 * Progress with the news of some logs.
 * @param windows null of a table without windows
 * @param clockSkewMs how far an event may be ahead of its record's timestamp and of its commit
 */
export function withNews(
  before: Progress,
  news: readonly LogNews[],
  windows: Windows | null,
  clockSkewMs: number,
): Progress {
  const logs = { ...before.logs }
  const counted = { ...before.windows }
  let { rows, smallFiles } = before
  for (const { log, next, amended, arrivals } of news) {
    let { watermark, lastAt } = logs[log] ?? NO_PROGRESS
    for (const arrival of arrivals) {
      lastAt = Math.max(lastAt, arrival.at)
      watermark = latest(watermark, windows === null ? null : believable(arrival, clockSkewMs))
      for (const file of arrival.files) {
        rows += file.rows
        smallFiles += isSmall(file)
        for (const name of windows === null ? [] : touchedWindows(file, windows)) {
          const had = counted[name] ?? { rows: 0, smallFiles: 0, lastAt: 0 }
          counted[name] = {
            rows: had.rows + file.rows,
            smallFiles: had.smallFiles + isSmall(file),
            lastAt: Math.max(had.lastAt, arrival.at),
          }
        }
      }
    }
    logs[log] = { next, amended, watermark, lastAt }
  }
  return { tableId: before.tableId, logs, windows: counted, rows, smallFiles }
}

/** The names of the windows that a file may have rows of; rows without a time are of none. */
function touchedWindows({ partition }: ArrivedFile, { column, grain }: Windows): string[] {
  const times = partitionTimes(partition, column)
  return times === null ? [] : Array.from(windowsWithin(grain, times), (window) => windowName(grain, window))
}

/**
 * The greatest event time of an arrival that no wrong clock has made. An event cannot be younger than the record that tells it, nor
 * than the commit: one whose clock runs ahead, or that tells of something to come, says nothing of how far its partition is. Of a
 * file that holds such a one only the earliest event is known to be none.
 */
function believable({ at, kafkaTime, watermark, files }: Arrival, clockSkewMs: number): number | null {
  // Lines of a file have no timestamp, which is 0 then.
  const written = kafkaTime !== null && kafkaTime > 0 ? Math.min(kafkaTime, at) : at
  const bound = written + clockSkewMs
  if (watermark !== null && watermark <= bound) return watermark
  const times = files.flatMap(({ times: known }) => known ?? []).filter((time) => time <= bound)
  return times.length === 0 ? null : Math.max(...times)
}

function isSmall({ bytes }: ArrivedFile): number {
  return bytes < SMALL_FILE_BYTES ? 1 : 0
}

function latest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.max(a, b)
}
