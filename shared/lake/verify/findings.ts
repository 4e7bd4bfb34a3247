import type { OffsetRange } from '#shared/pipeline/commit.ts'
import type { Counts } from '#shared/pipeline/outcome.ts'

/** Something that is wrong with a lake: which object, and what. */
export interface Fault {
  readonly object: string
  readonly fault: string
}

/** What some commits and their amendments hold. */
export interface Tally {
  commits: number
  amendments: number
  /** Data files that they name, and their bytes. */
  files: number
  bytes: number
  /** Every record once, by the last verdict on it; `rejected` are the dead letters that are open. */
  readonly counts: { -readonly [count in keyof Counts]: Counts[count] }
  /** Records that were rejected, and that a later amendment wrote or skipped. */
  resolvedDeadLetters: number
  /** Offsets within commits that no delivery has brought: compacted, filtered, or waiting elsewhere. No fault. */
  gaps: number
  /** The least and the greatest offset of a record; null without any. */
  offsets: OffsetRange | null
}

/** What was looked at and found right. */
export interface Checks {
  /** Data files whose name, presence and size are as their commit says. */
  files: number
  /** Data files that another engine has replaced in their table, and deleted. */
  replaced: number
  /** Data files whose bytes have the SHA-256 that their commit says. */
  checksums: number
  /** Rows and dead letters that were traced to a record of their commit. */
  rows: number
  deadLetters: number
}

export function emptyTally(): Tally {
  const counts = { records: 0, written: 0, skipped: 0, rejected: 0, rows: 0 }
  return { commits: 0, amendments: 0, files: 0, bytes: 0, counts, resolvedDeadLetters: 0, gaps: 0, offsets: null }
}

/** Adds a tally to another. */
export function addTally(sum: Tally, more: Readonly<Tally>): void {
  for (const part of ['commits', 'amendments', 'files', 'bytes', 'resolvedDeadLetters', 'gaps'] as const)
    sum[part] += more[part]
  for (const count of ['records', 'written', 'skipped', 'rejected', 'rows'] as const)
    sum.counts[count] += more.counts[count]
  if (sum.offsets === null || more.offsets === null) sum.offsets ??= more.offsets
  else sum.offsets = [Math.min(sum.offsets[0], more.offsets[0]), Math.max(sum.offsets[1], more.offsets[1])]
}
