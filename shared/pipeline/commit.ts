import type { Counts } from './outcome.ts'
import type { KafkaRecord } from './record.ts'
import type { FileFormat } from './table.ts'

/** An inclusive range of offsets. */
export type OffsetRange = readonly [first: number, last: number]

/** The values of a table partition by field, as JSON holds them: a bigint is its decimal digits. */
export type PartitionValues = Readonly<Record<string, string | number | boolean | null>>

/** What a file's rows hold in one field of a table's lock. Bounds are base64 of single values; null where there is none. */
export type FieldStatistics = readonly [
  id: number,
  /** On disk, compressed. */
  bytes: number,
  /** Nulls and NaNs among them. */
  values: number,
  nulls: number,
  /** Null of what is no floating-point number. */
  nans: number | null,
  lower: string | null,
  upper: string | null,
]

/** What Iceberg's manifests keep of a data file, so that nobody has to open it to plan a query. */
export interface FileStatistics {
  /** Where each row group begins. */
  readonly splits: readonly number[]
  readonly fields: readonly FieldStatistics[]
}

/** What is known of a file whose table has a lock. */
export interface LockedContent {
  /** The partition spec of the lock that the file's partition is of. */
  readonly spec: number
  readonly statistics: FileStatistics
}

/** One data file of one slice and one table partition, as a commit names it. */
export interface DataFile extends Partial<LockedContent> {
  readonly table: string
  /** Key in the lake's object store; URI of a file that lies in a bucket of its table's own. */
  readonly path: string
  readonly partition: PartitionValues
  readonly rows: number
  readonly bytes: number
  /** SHA-256 of the file, in hex. */
  readonly sha256: string
}

/** What became of the rows of some records by one score. Rows that are not to be scored count nowhere. */
export interface ScoreCounts {
  readonly scored: number
  /** Rows that have no score and wait for none, by reason. */
  readonly unscored: Readonly<Record<string, number>>
  /** Rows that wait for their score, by reason. */
  readonly waiting: Readonly<Record<string, number>>
  /** Offsets of the records that have such rows. */
  readonly deferred: readonly OffsetRange[]
}

/** What the flow made of some records of one Kafka partition: all that a commit says besides its place in the chain. */
export interface SliceContent {
  readonly files: readonly DataFile[]
  /** Offsets of the records that became dead letters, ascending. */
  readonly rejected: readonly number[]
  readonly counts: Counts
  /** Digest of the pipeline's declaration. */
  readonly pipelineVersion: string
  readonly schemaId: string
  readonly specId: string
  /**
   * The greatest event time of the rows in milliseconds, by the first time column that the table is partitioned by;
   * null without one.
   */
  readonly watermark: number | null
  /** By the name of the score; missing where the pipeline has none. */
  readonly scores?: Readonly<Record<string, ScoreCounts>>
}

/** A data file that is still to be written. */
export interface NewDataFile {
  readonly table: string
  /** Hive-style path of the table partition; empty for an unpartitioned table. */
  readonly partitionPath: string
  readonly partition: PartitionValues
  readonly rows: number
  readonly format: FileFormat
  readonly body: Uint8Array
  /** Of a table that has a lock. */
  readonly locked?: LockedContent | null
}

/** One attempt to land a slice: the key in the log that its files are written for, and no other. */
export interface Attempt {
  /** Unique to this attempt. */
  readonly id: string
  /** The life of the topic's offsets that the records belong to. */
  readonly epoch: number
  /** Makes a file durable under a name that contains the attempt's key. It stays unseen until the commit names it. */
  writeFile(file: NewDataFile): Promise<DataFile>
}

/** Makes durable files of records and says what became of each. Runs again, for other records, when a race is lost. */
export type WriteSlice = (records: readonly KafkaRecord[], attempt: Attempt) => Promise<SliceContent>

/** Which entry of its log an entry is. */
export interface EntryName {
  /** Of a commit: its first offset. */
  readonly start: number
  /** Of an amendment: the first offset of the commit that it amends; null of a commit. */
  readonly amends: number | null
  /** Among the amendments of that commit, from 0. */
  readonly number: number
}

/** What landing a slice came to. */
export interface Landing {
  /** Records that were in the lake before. */
  readonly known: number
  /** One per commit or amendment that this landing made. */
  readonly contents: readonly (Pick<SliceContent, 'counts' | 'files' | 'scores'> & EntryName)[]
}

/** The commit log of one Kafka partition, as the flow sees it. */
export interface SliceLog {
  /** Lands records in ascending offset order. Returns when every one of them is durable and throws otherwise. */
  land(records: readonly KafkaRecord[], write: WriteSlice): Promise<Landing>
}

/** The identity of a topic's offsets: a cluster (or a local file) and a topic. */
export interface SourceTopic {
  readonly cluster: string
  readonly topic: string
}

/** The reader of a topic: a pipeline, and which replay of it. */
export interface TopicReader {
  readonly name: string
  readonly generation: number
}

/** The lake as the flow sees it. */
export interface Lake {
  openLog(reader: TopicReader, source: SourceTopic, partition: number): SliceLog
}

/** Offsets in ascending order → the fewest inclusive ranges. */
export function rangesOf(offsets: readonly number[]): OffsetRange[] {
  const ranges: [number, number][] = []
  for (const offset of offsets) {
    const last = ranges.at(-1)
    if (last !== undefined && offset === last[1] + 1) last[1] = offset
    else ranges.push([offset, offset])
  }
  return ranges
}

/** Whether ascending ranges hold an offset. */
export function inRanges(offset: number, ranges: readonly OffsetRange[]): boolean {
  let low = 0
  let high = ranges.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = ranges[middle] as OffsetRange
    if (offset < first) high = middle - 1
    else if (offset > last) low = middle + 1
    else return true
  }
  return false
}

/** How many offsets ranges hold. */
export function rangesSize(ranges: readonly OffsetRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0)
}
