import type { TopicId } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Landing } from '#shared/pipeline/commit.ts'
import type { FilterPattern } from '#shared/pipeline/filter-pattern.ts'
import type { PartitionRecords } from '#shared/pipeline/record.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import type { Bucket } from './bucket.ts'
import type { FollowedTable } from './followed-table.ts'
import type { Process } from './process.ts'
import type { ValueOf, Version } from './topic.ts'

/** What an instance of a function does with a batch. @returns what it answers */
export type Handle = (partitions: readonly PartitionRecords[]) => Promise<unknown>

/** Records of one slice that are to land again, whatever has become of them since they were refused or given up. */
export interface Redrive extends PartitionRecords {
  readonly of: 'dead letters' | 'failed batches'
  readonly epoch: number
}

/** @param path of a data file that is there */
export type NamesIn = (path: string) => readonly string[]

/** A landing that returned: what it was given, the attempts it made, and what it said. */
export interface ReportedLanding {
  readonly given: number
  readonly attempts: ReadonlySet<string>
  readonly said: Landing
}

/** Where an instance runs. */
export interface Machine {
  readonly process: Process
  /** The lake, and where the trigger puts the batches that it gives up. */
  readonly store: ObjectStore
  readonly failures: ObjectStore
  /** Hears of each landing that returned, and of what the others threw. */
  readonly landed: (landing: ReportedLanding) => void
  readonly failed: (partition: number, error: unknown) => void
}

/**
 * How much of the product handles the batches of a schedule, and what their records and files look like. All else (store,
 * trigger, committers, vacuums, what must hold in the end) is the same.
 */
export interface Workload {
  readonly topic: TopicId
  readonly tables: { readonly rows: string; readonly deadLetters: string }
  /** Makes the tables, empty. @param exists whether there is a data file */
  open(exists: (path: string) => boolean): readonly FollowedTable[]
  readonly valueOf: ValueOf
  /** How often a record is other than good, where any is. */
  readonly odd: number
  /** A filter that lets through what has one of these marks. */
  readonly filterOf: (marks: readonly number[]) => FilterPattern
  /** Starts an instance of the function. */
  start(machine: Machine, version: Version, trigger: Trigger): Handle
  /** Starts what redrives. */
  redrive(machine: Machine, version: Version): (redrive: Redrive) => Promise<void>
  /** Reads the data files of a bucket. @returns the names of the records in a file, one for each of its rows */
  read(bucket: Bucket): NamesIn | Promise<NamesIn>
  /** What else is wrong with a lake, as the product's own proof has it. */
  verify(bucket: Bucket): Promise<readonly string[]>
  /** The version that made an entry; undefined when none of them can have. */
  versionOf(pipelineVersion: string): Version | undefined
}
