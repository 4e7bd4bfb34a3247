import type { PartitionState, PendingFile, TableState, WaitingBatch } from '#shared/jobs/completeness.ts'
import { type Arrival, emptyProgress, NO_PROGRESS, type Progress, withNews } from '#shared/jobs/progress.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { timeOfBound } from '#shared/lake/time-bound.ts'
import {
  type DatedEntry,
  readTableEntries,
  type TableEntries,
  type TableLogEntries,
} from '#shared/lake/table-entries.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { partitionTimes, type Windows, windowsOf } from '#shared/pipeline/time-window.ts'

/** Commits of one log that are read at once. */
const LIMIT = 2000

/** What may still come of a Kafka partition: the offsets from `begin` to before `end`, as far as they have not landed. */
export interface PartitionOffsets {
  readonly begin: number
  readonly end: number
}

/** What is known of the topic itself, beside what has landed. */
export interface TopicView {
  /** By partition; null when nobody has asked. */
  readonly offsets: ReadonlyMap<number, PartitionOffsets> | null
  /** Whether no more will come into a log, as when it is of a file that was read to its end. */
  readonly hasEnded: (log: LogId) => boolean
}

export const UNKNOWN_TOPIC: TopicView = { offsets: null, hasEnded: () => false }

/** A table as completeness is decided by it. */
export interface TableView {
  readonly progress: Progress
  /** Whether progress was made anew, of all that the table has. */
  readonly isAnew: boolean
  readonly state: TableState
  /** Null when the table has none: there is nothing that a job could read. */
  readonly snapshotId: string | null
}

/**
 * How a pipeline's table stands now.
 * @param before progress as it was written down last; it is made anew when the table has been rolled back since
 * @param signal aborted when no further log shall be read: the next view goes on
 * @returns undefined when the catalog has no such table yet
 * @throws InletError TABLE_DIVERGED, LOG_CORRUPT
 */
export async function viewTable(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  before: Progress | undefined,
  waiting: readonly WaitingBatch[],
  topic: TopicView,
  { limit = LIMIT, signal }: { readonly limit?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<TableView | undefined> {
  const { table, name, generation, completeness } = pipeline
  const owner = { pipeline: name, generation, table: table.name }
  const read = await readTableEntries(surroundings, owner, before, limit, signal)
  if (read === undefined) return undefined
  const windows = windowsOf(table.partitionSpec)
  const timesOf = fileTimes(pipeline, windows)
  const news = read.logs.map(({ log, place, taken }) => {
    return { log, ...place, arrivals: taken.map((dated) => arrivalOf(dated, table.name, timesOf)) }
  })
  const isAnew = read.isAnew || before === undefined
  const base = isAnew ? emptyProgress(read.tableId) : before
  const progress = withNews(base, news, windows, completeness.clockSkewMs)
  const state: TableState = {
    now: surroundings.now(),
    partitions: partitionStates(read, progress, topic, pipeline.topic),
    pending: read.logs.flatMap((log) => pendingFiles(log, table.name, windows)),
    waiting,
    isRead: read.logs.every(({ isMore }) => !isMore),
  }
  return { progress, isAnew, state, snapshotId: read.snapshotId }
}

type FileTimes = (file: DataFile) => readonly [earliest: number, latest: number] | null

/** The bounds that a file's statistics have of the column of the windows (Iceberg's specification, Appendix D). */
function fileTimes({ table }: Pipeline, windows: Windows | null): FileTimes {
  const id = windows === null ? undefined : table.columns.find(({ name }) => name === windows.column)?.id
  return ({ statistics }) => {
    const found = id === undefined ? undefined : statistics?.fields.find(([field]) => field === id)
    if (found === undefined) return null
    const [lower, upper] = [found[5], found[6]]
    const timeOf = (bound: string): number => timeOfBound(Buffer.from(bound, 'base64'))
    return lower === null || upper === null ? null : [timeOf(lower), timeOf(upper)]
  }
}

function arrivalOf({ entry, at }: DatedEntry, table: string, timesOf: FileTimes): Arrival {
  return {
    at,
    kafkaTime: entry.fingerprint?.maxTimestamp ?? null,
    watermark: entry.watermark,
    files: entry.files
      .filter((file) => file.table === table)
      .map((file) => ({
        partition: file.partition,
        rows: file.rows,
        bytes: file.bytes,
        times: timesOf(file),
      })),
  }
}

function pendingFiles({ id, pending }: TableLogEntries, table: string, windows: Windows | null): PendingFile[] {
  const partition = nameOf(id)
  return pending.flatMap(({ entry }) =>
    entry.files
      .filter((file) => file.table === table)
      .map((file) => ({ partition, times: windows === null ? null : partitionTimes(file.partition, windows.column) })),
  )
}

function partitionStates(
  { logs }: TableEntries,
  progress: Progress,
  { offsets, hasEnded }: TopicView,
  topic: string,
): PartitionState[] {
  const newest = new Map<number, number>()
  for (const { id } of logs) newest.set(id.partition, Math.max(newest.get(id.partition) ?? 0, id.epoch))
  const states = logs.map(({ id, log, pending, end, isSealed }): PartitionState => {
    const { watermark, lastAt } = progress.logs[log] ?? NO_PROGRESS
    const last = Math.max(lastAt, ...pending.map(({ at }) => at))
    const isCurrent = newest.get(id.partition) === id.epoch
    return {
      name: nameOf(id),
      watermark,
      lastAt: last === 0 ? null : last,
      hasEnded: isSealed || hasEnded(id),
      behind: isCurrent ? behindOf(offsets, id.partition, end) : null,
    }
  })
  const without = [...(offsets ?? [])].filter(([partition]) => !newest.has(partition))
  for (const [partition] of without) {
    const behind = behindOf(offsets, partition, 0)
    states.push({ name: `${topic}-${partition}`, watermark: null, lastAt: null, hasEnded: false, behind })
  }
  return states
}

/** How many offsets the topic has behind the end of a log. */
function behindOf(offsets: TopicView['offsets'], partition: number, logEnd: number): number | null {
  const of = offsets?.get(partition)
  return of === undefined ? null : Math.max(0, of.end - Math.max(logEnd, of.begin))
}

function nameOf({ topic, partition, epoch }: LogId): string {
  return `${topic}-${partition}${epoch === 0 ? '' : ` (epoch ${epoch})`}`
}
