import type { LogMarks } from '#shared/lake/log-follower.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Bucket } from './bucket.ts'
import type { Process } from './process.ts'

/** What a table is at one moment: the files that a reader sees, and how far each log was followed, by its prefix. */
export interface TableVersion {
  readonly files: readonly string[]
  readonly marks: Readonly<Record<string, LogMarks>>
}

/** What a process works at a table with. */
export interface Workplace {
  readonly process: Process
  readonly store: ObjectStore
  readonly logs: readonly LogId[]
  /** Commits of a log that are taken at the most. */
  readonly limit: number
}

/** A table that committers fill from the logs. */
export interface FollowedTable {
  readonly name: string
  /** As it is once it was read to its end. */
  readonly current: TableVersion
  /** Files that it was made to name and that were not there. */
  readonly missing: readonly string[]
  /** One run of a committer: what the logs hold and the table has not taken becomes part of it. */
  commit(workplace: Workplace): Promise<void>
  /** Another engine commits something of its own. */
  disturb(workplace: Workplace): Promise<void>
  /** Reads the table as it is in the end. */
  read(bucket: Bucket): Promise<void>
}
