import { pMapIterable } from 'p-map'
import { isDeadLetterTable } from '#shared/pipeline/dead-letter-name.ts'
import { type DataFile, inRanges, type OffsetRange, rangesOf } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { LogEntry } from './log-entry.ts'
import {
  amendmentsPrefix,
  commitKey,
  commitsBefore,
  commitsPrefix,
  MAX_OFFSET,
  parseAmendmentKey,
  parseCommitKey,
} from './log-keys.ts'
import type { LogStore } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'

const READ_AHEAD = 16

/** Offsets from one to another, both included; every one where they are left out. */
export interface OffsetBounds {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** The dead letters of one commit or amendment: its rejected records, and what has been said of them since. */
export interface EntryDeadLetters {
  readonly files: readonly DataFile[]
  /** Offsets of which nothing else has been said: their records wait for a redrive. */
  readonly open: readonly OffsetRange[]
  /** Offsets of which an amendment has said something else, the first that did so. */
  readonly resolved: readonly { readonly offsets: readonly OffsetRange[]; readonly by: LogEntry }[]
}

/** The dead letters of a commit, and those of its amendments. */
export interface CommitDeadLetters {
  /** The start of the commit. */
  readonly commit: number
  readonly entries: readonly EntryDeadLetters[]
}

/**
 * The starts of a log's commits whose ranges may hold an offset within the bounds, the newest first. Told by the keys
 * alone, a list for each thousand of them.
 */
export async function* commitStarts(
  store: ObjectStore,
  prefix: string,
  { from = 0, to = MAX_OFFSET - 1 }: OffsetBounds = {},
): AsyncIterable<number> {
  for await (const { key } of store.list(commitsPrefix(prefix), { startAfter: commitsBefore(prefix, to) })) {
    const start = parseCommitKey(key)
    yield start
    // The next one ends before this one begins.
    if (start <= from) return
  }
}

/**
 * The dead letters of a log, commit by commit, the newest first; a commit that has none is there too, so that who asks sees
 * how far it is. Memory is bounded but for a number for each amended commit.
 */
export async function* deadLettersOf(
  store: ObjectStore,
  log: LogStore,
  bounds: OffsetBounds = {},
): AsyncIterable<CommitDeadLetters> {
  const amended = new Set<number>()
  for await (const { key } of store.list(amendmentsPrefix(log.prefix))) amended.add(parseAmendmentKey(key).amends)
  const read = async (start: number): Promise<CommitDeadLetters> => {
    const commit = await log.commitAt(start)
    if (commit === undefined)
      throw new InletError('LOG_CORRUPT', `${commitKey(log.prefix, start)} was listed but cannot be read`)
    const amendments = amended.has(start) ? await log.amendmentsOf(start) : []
    return { commit: start, entries: entriesOf([commit, ...amendments]) }
  }
  yield* pMapIterable(commitStarts(store, log.prefix, bounds), read, { concurrency: READ_AHEAD })
}

/** @param history a commit and its amendments in their order */
function entriesOf(history: readonly LogEntry[]): EntryDeadLetters[] {
  return history.flatMap((entry, i) => {
    if (entry.rejected.length === 0) return []
    const later = history.slice(i + 1)
    const verdicts = Map.groupBy(offsetsIn(entry.rejected), (offset) =>
      later.find(({ covered }) => inRanges(offset, covered)),
    )
    const open = rangesOf(verdicts.get(undefined) ?? [])
    const resolved = [...verdicts].flatMap(([by, offsets]) => {
      return by === undefined ? [] : [{ offsets: rangesOf(offsets), by }]
    })
    return [{ files: entry.files.filter(({ table }) => isDeadLetterTable(table)), open, resolved }]
  })
}

function offsetsIn(ranges: readonly OffsetRange[]): number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
}
