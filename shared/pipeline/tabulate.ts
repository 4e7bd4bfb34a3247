import { ParquetRows } from '#shared/formats/parquet.ts'
import { deadLetterRow } from './dead-letter.ts'
import { InletError } from './errors.ts'
import type { Flow } from './flow.ts'
import type { Counts, PlacedRow, Rejection, Row } from './outcome.ts'
import { type PartitionValue, partitionKey, partitionOf } from './partition.ts'
import type { Table } from './pipeline.ts'
import { type KafkaRecord, positionOf } from './record.ts'

/** Rows of one table partition, to become one data file. */
export interface TablePartition {
  readonly table: Table
  readonly values: readonly PartitionValue[]
  readonly rows: ParquetRows
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
  const timeColumn = flow.pipeline.table.partitionSpec.find(({ transform }) => transform !== 'identity')?.column
  let watermark: number | null = null

  const append = (table: Table, { row, partition }: PlacedRow, record: KafkaRecord, index: number): void => {
    const key = `${table.name}\u0000${partitionKey(partition)}`
    let group = groups.get(key)
    if (group === undefined) {
      group = { table, values: partition, rows: new ParquetRows(table.columns) }
      groups.set(key, group)
    }
    group.rows.append(Object.assign(row, auditOf(record, epoch, index)))
  }

  for (const record of records) {
    const outcome = flow.recordPath(record)
    counts[outcome.kind] += 1
    if (outcome.kind === 'written') {
      for (const [index, placed] of outcome.rows.entries()) {
        append(flow.pipeline.table, placed, record, index)
        watermark = later(watermark, timeColumn === undefined ? null : placed.row[timeColumn])
      }
      counts.rows += outcome.rows.length
    } else if (outcome.kind === 'rejected') {
      append(flow.deadLetters, placedDeadLetter(record, outcome.rejection, flow), record, 0)
      rejected.push(record.offset)
    }
  }
  const tabulation = { partitions: [...groups.values()], rejected, counts, watermark }
  requireBalance(records, tabulation, flow)
  return tabulation
}

/** A dead letter is never refused: without a usable time it lies in the partition of none. */
function placedDeadLetter(record: KafkaRecord, rejection: Rejection, { pipeline, deadLetters }: Flow): PlacedRow {
  const row = deadLetterRow(record, rejection, pipeline)
  const partition = partitionOf({ _timestamp: record.timestamp }, deadLetters.partitionSpec)
  return { row, partition: partition.ok ? partition.value : [null] }
}

function auditOf({ partition, offset, timestamp }: KafkaRecord, epoch: number, index: number): Row {
  return { _epoch: epoch, _partition: partition, _offset: offset, _index: index, _timestamp: timestamp }
}

function later(watermark: number | null, time: unknown): number | null {
  if (!(time instanceof Date)) return watermark
  return Math.max(watermark ?? Number.NEGATIVE_INFINITY, time.getTime())
}

/**
 * Every record ends in exactly one place. Counted anew from what was appended to the files, not from the outcomes that it
 * came from.
 */
function requireBalance(records: readonly KafkaRecord[], { partitions, counts }: Tabulation, flow: Flow): void {
  const rows = new Set<unknown>()
  const deadLetters = new Set<unknown>()
  let appended = 0
  for (const partition of partitions) {
    const places = partition.table === flow.pipeline.table ? rows : deadLetters
    for (const offset of partition.rows.column('_offset')) places.add(offset)
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
