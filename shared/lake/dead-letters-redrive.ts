/**
 * Dead letters come back: the records whose last verdict is "rejected" are rebuilt and land again, by the pipeline as it is
 * now, as amendments of the commits that hold them.
 *
 * Nothing is remembered but what the log says, so that a redrive may run twice, beside another or beside the trigger, and
 * may be stopped anywhere: what another has resolved meanwhile is dropped by the log as known. A record that is refused
 * again gets a newer dead letter, which resolves the older one.
 */
import { pMapIterable } from 'p-map'
import type { Flow } from '#shared/pipeline/flow.ts'
import { type SliceReport, writeSlice } from '#shared/pipeline/process-batch.ts'
import { type DeadLetterChoice, type LandedCommit, landDeadLetters } from './dead-letters-land.ts'
import { type CommitDeadLetters, commitStarts, deadLettersOf, type OffsetBounds } from './dead-letters.ts'
import { generationPrefix, type LogId, MAX_OFFSET } from './log-keys.ts'
import { type LogStore, logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'
import { redriveLog } from './redrive-log.ts'

/** Which logs are meant, and which of their offsets; each one that is left out means any. */
export interface LogFilter extends OffsetBounds {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
}

/** Where a redrive that was stopped goes on: at a commit of a log, the newest first. */
export interface RedrivePlace {
  /** The prefix of the log. */
  readonly log: string
  /** The start of the commit. */
  readonly commit: number
}

export interface RedriveOptions {
  /** Any offsets of any topic and partition that the pipeline has landed, unless it says otherwise. */
  readonly logs: LogFilter
  readonly isMeant: DeadLetterChoice
  /** Where the redrive before this one was stopped. */
  readonly resume?: RedrivePlace | undefined
  /** Aborted when too little time is left to begin anything. */
  readonly signal: AbortSignal
  /** Commits whose dead letters land at a time, and files of one landing that are written at a time. */
  readonly concurrency: number
  /** Called for each landing; one that has failed has an error. */
  readonly onSlice: (report: SliceReport) => void
  /** Called for each commit that was looked at. */
  readonly onCommit?: () => void
}

/**
 * Lands the open dead letters of a pipeline again, in every epoch and Kafka partition. Never throws for a landing: its
 * report says what failed, and its records are dead letters as before. What has begun has settled when this ends, also when
 * the log cannot be read.
 * @returns where to go on when it was stopped by the signal; undefined when all was looked at
 */
export async function redriveDeadLetters(
  store: ObjectStore,
  flow: Flow,
  { logs, isMeant, resume, signal, concurrency, onSlice, onCommit }: RedriveOptions,
): Promise<RedrivePlace | undefined> {
  const { from = 0, to = MAX_OFFSET } = logs
  const write = writeSlice(flow, { signal, concurrency })
  const isWithin: DeadLetterChoice = (letter, file) => {
    const { offset } = letter.record
    return offset >= from && offset <= to && isMeant(letter, file)
  }
  for await (const { id, log } of logsOfPipeline(store, flow.pipeline, logs)) {
    if (resume !== undefined && log.prefix < resume.log) continue
    const newest = resume?.log === log.prefix ? Math.min(resume.commit, to) : to
    const target = redriveLog(store, id)
    const landing = { store, id, target, write, isMeant: isWithin, signal }
    const land = (commit: CommitDeadLetters): Promise<LandedCommit> => landDeadLetters(commit, landing)
    let next: RedrivePlace | undefined
    const commits = untilAborted(deadLettersOf(store, log, { from, to: newest }), signal)
    // In the order of the commits: an error of the log comes behind the landings of all commits before it.
    for await (const { commit, reports, isDone } of pMapIterable(commits, land, { concurrency })) {
      for (const report of reports) onSlice(report)
      if (isDone) onCommit?.()
      else next ??= { log: log.prefix, commit }
    }
    if (next !== undefined) return next
  }
  return undefined
}

/** How many commits a redrive looks at. */
export async function countCommits(store: ObjectStore, pipeline: Flow['pipeline'], filter: LogFilter): Promise<number> {
  let commits = 0
  for await (const { log } of logsOfPipeline(store, pipeline, filter)) {
    for await (const _ of commitStarts(store, log.prefix, filter)) commits += 1
  }
  return commits
}

/** The logs of every epoch: a dead letter lands in the one it came from. Those of other generations have their own tables. */
async function* logsOfPipeline(
  store: ObjectStore,
  { name, generation }: Flow['pipeline'],
  { topic, partition }: LogFilter,
): AsyncIterable<{ id: LogId; log: LogStore }> {
  for await (const found of logsOf(store, generationPrefix({ pipeline: name, generation }))) {
    const { id } = found
    if ((topic ?? id.topic) === id.topic && (partition ?? id.partition) === id.partition) yield found
  }
}

/** Ends behind the first commit that comes when the signal is aborted: that one cannot be begun and says where to go on. */
async function* untilAborted(
  commits: AsyncIterable<CommitDeadLetters>,
  signal: AbortSignal,
): AsyncIterable<CommitDeadLetters> {
  for await (const commit of commits) {
    const isLast = signal.aborted
    yield commit
    if (isLast) return
  }
}
