import { type FileRows, fileRowsOf } from '#shared/formats/file-rows.ts'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import { deadLetterRow } from './dead-letter.ts'
import { InletError } from './errors.ts'
import type { Flow } from './flow.ts'
import type { Counts, PlacedRow, Rejection, Row } from './outcome.ts'
import { type PartitionValue, partitionKey, partitionOf } from './partition.ts'
import { type KafkaRecord, positionOf } from './record.ts'
import type { Table } from './table.ts'

/** Rows of one table partition, to become one data file. */
export interface TablePartition {
  readonly table: Table
  readonly values: readonly PartitionValue[]
  readonly rows: FileRows
  /** The offset of each row's record, in the order of the rows. */
  readonly offsets: number[]
}

/** What became of some records of one Kafka partition, as files to be written and what a commit says of them. */
export interface Tabulation {
  readonly partitions: readonly TablePartition[]
  /** Offsets of the records that became dead letters. */
  readonly rejected: readonly number[]
  readonly counts: Counts
  /** See `SliceContent`. */
  readonly watermark: number | null
}

/**
 * Takes records down the record path, one after another, and appends what comes of each to the table partition it belongs
 * to. Rows become columns at once: nothing of a record outlives its turn.
 * @throws InletError UNBALANCED when the rows and dead letters that are to be written are not those of the records.
 */
export function tabulate(records: readonly KafkaRecord[], flow: Flow, epoch: number): Tabulation {
  const groups = new Map<string, TablePartition>()
  const counts = { records: records.length, written: 0, skipped: 0, rejected: 0, rows: 0 }
  const rejected: number[] = []
  const timeColumn = flow.pipeline.table.partitionSpec.find(({ isTime }) => isTime)?.column
  let watermark: number | null = null

  for (const record of records) {
    let outcome = flow.recordPath(record)
    if (outcome.kind === 'written') {
      const rejection = appendRows(groups, flow.pipeline.table, outcome.rows, record, epoch)
      if (rejection === undefined) {
        counts.rows += outcome.rows.length
        for (const { row } of outcome.rows)
          watermark = later(watermark, timeColumn === undefined ? null : row[timeColumn])
      } else outcome = { kind: 'rejected', rejection }
    }
    counts[outcome.kind] += 1
    if (outcome.kind === 'rejected') {
      appendRows(groups, flow.deadLetters, [placedDeadLetter(record, outcome.rejection, flow)], record, epoch)
      rejected.push(record.offset)
    }
  }
  const partitions = [...groups.values()].filter(({ rows }) => rows.count > 0)
  const tabulation = { partitions, rejected, counts, watermark }
  requireBalance(records, tabulation, flow)
  return tabulation
}

/** Appends all rows of a record, or none of them. @returns why a column cannot hold a value of theirs */
function appendRows(
  groups: Map<string, TablePartition>,
  table: Table,
  placed: readonly PlacedRow[],
  record: KafkaRecord,
  epoch: number,
): Rejection | undefined {
  const appended: TablePartition[] = []
  for (const [index, { row, partition }] of placed.entries()) {
    const key = `${table.name}\u0000${partitionKey(partition)}`
    let group = groups.get(key)
    if (group === undefined) {
      group = { table, values: partition, rows: fileRowsOf(table), offsets: [] }
      groups.set(key, group)
    }
    try {
      group.rows.append(Object.assign(row, recordColumns(record, epoch, index)))
    } catch (error) {
      if (!(error instanceof UnstorableError)) throw error
      for (const { rows, offsets } of appended) {
        rows.removeLast()
        offsets.pop()
      }
      return { code: 'ROW_INVALID', field: error.column, message: error.message }
    }
    group.offsets.push(record.offset)
    appended.push(group)
  }
  return undefined
}

/** A dead letter is never refused: without a usable time it lies in the partition of none. */
function placedDeadLetter(record: KafkaRecord, rejection: Rejection, { pipeline, deadLetters }: Flow): PlacedRow {
  const row = deadLetterRow(record, rejection, pipeline)
  const partition = partitionOf({ _timestamp: record.timestamp }, deadLetters.partitionSpec)
  return { row, partition: partition.ok ? partition.value : [null] }
}

/** The columns that come of the record itself; a table takes those that it has. */
function recordColumns(record: KafkaRecord, epoch: number, index: number): Row {
  const { partition, offset, timestamp, timestampType, key, headers } = record
  return {
    _key: key,
    _headers: headers,
    _timestamp_type: timestampType,
    _epoch: epoch,
    _kafka_partition: partition,
    _offset: offset,
    _index: index,
    _timestamp: timestamp,
  }
}

function later(watermark: number | null, time: unknown): number | null {
  if (time === null || time === undefined) return watermark
  const ms = typeof time === 'string' ? Date.parse(inUtc(time)) : Number(time)
  return Math.max(watermark ?? Number.NEGATIVE_INFINITY, ms)
}

/** A local time is read as its partition is: as if it were UTC, and not by the clock of this machine. */
function inUtc(time: string): string {
  return /T.*(?:Z|[+-]\d\d:?\d\d)$/.test(time) || !time.includes('T') ? time : `${time}Z`
}

/**
 * Every record ends in exactly one place. Counted anew from what was appended to the files, not from the outcomes that it
 * came from.
 */
function requireBalance(records: readonly KafkaRecord[], { partitions, counts }: Tabulation, flow: Flow): void {
  const rows = new Set<number>()
  const deadLetters = new Set<number>()
  let appended = 0
  for (const partition of partitions) {
    const places = partition.table === flow.pipeline.table ? rows : deadLetters
    for (const offset of partition.offsets) places.add(offset)
    appended += partition.rows.count
  }
  const both = [...deadLetters].filter((offset) => rows.has(offset)).length
  const placed = rows.size + deadLetters.size + counts.skipped
  if (both === 0 && placed === records.length && appended === counts.rows + deadLetters.size) return
  const [first] = records
  throw new InletError(
    'UNBALANCED',
    `pipeline ${flow.pipeline.name}: of ${records.length} records from ${first === undefined ? 'nowhere' : positionOf(first)} ` +
      `${rows.size} are rows, ${deadLetters.size} dead letters, ${counts.skipped} skipped and ${both} in two places; nothing was committed`,
  )
}
