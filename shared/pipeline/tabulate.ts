import { UnstorableError } from '#shared/formats/unstorable.ts'
import { deadLetterRow } from './dead-letter.ts'
import { InletError } from './errors.ts'
import type { Flow } from './flow.ts'
import type { Counts, PlacedRow, Rejection, Row } from './outcome.ts'
import { partitionOf } from './partition.ts'
import type { RecordPath } from './record-path.ts'
import { type KafkaRecord, positionOf } from './record.ts'
import type { Table } from './table.ts'
import { type TablePartition, TablePartitions } from './table-partitions.ts'

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
 * to.
 * @throws InletError UNBALANCED when the rows and dead letters that are to be written are not those of the records.
 */
export function tabulate(records: readonly KafkaRecord[], flow: Flow, epoch: number): Tabulation {
  const tabulator = new Tabulator(flow, epoch)
  tabulator.add(records)
  return tabulator.tabulation
}

/** A tabulation that grows. Rows become columns at once: nothing of a record outlives its turn. */
export class Tabulator {
  readonly #flow: Flow
  readonly #epoch: number
  readonly #timeColumn: string | undefined
  readonly #partitions = new TablePartitions()
  readonly #counts = { records: 0, written: 0, skipped: 0, rejected: 0, rows: 0 }
  readonly #rejected: number[] = []
  #watermark: number | null = null

  constructor(flow: Flow, epoch: number) {
    this.#flow = flow
    this.#epoch = epoch
    this.#timeColumn = flow.pipeline.table.partitionSpec.find(({ isTime }) => isTime)?.column
  }

  /** All that was added. */
  get tabulation(): Tabulation {
    const partitions = [...this.#partitions.all].filter(({ rows }) => rows.count > 0)
    return { partitions, rejected: this.#rejected, counts: this.#counts, watermark: this.#watermark }
  }

  /**
   * @param path what becomes of each record: that of the flow, unless its rows were given scores before
   * @throws InletError UNBALANCED: then nothing of the tabulation may be written
   */
  add(records: readonly KafkaRecord[], path: RecordPath = this.#flow.recordPath): void {
    const before = this.#mark()
    for (const record of records) this.#addOne(record, path)
    const { partitions } = this.tabulation
    requireBalance(records, partitions, this.#counts, before, this.#flow)
    for (const { rows } of partitions) rows.settle()
  }

  #addOne(record: KafkaRecord, path: RecordPath): void {
    const flow = this.#flow
    const counts = this.#counts
    let outcome = path(record)
    if (outcome.kind === 'written') {
      const rejection = appendRows(this.#partitions, flow.pipeline.table, outcome.rows, record, this.#epoch)
      if (rejection === undefined) {
        counts.rows += outcome.rows.length
        for (const { row } of outcome.rows)
          this.#watermark = later(this.#watermark, this.#timeColumn === undefined ? null : row[this.#timeColumn])
      } else outcome = { kind: 'rejected', rejection }
    }
    counts.records += 1
    counts[outcome.kind] += 1
    if (outcome.kind === 'rejected') {
      const letter = placedDeadLetter(record, outcome.rejection, flow)
      appendRows(this.#partitions, flow.deadLetters, [letter], record, this.#epoch)
      this.#rejected.push(record.offset)
    }
  }

  /** Where the counts stand, and how many rows there are. */
  #mark(): Mark {
    let appended = 0
    for (const { rows, offsets } of this.#partitions.all) {
      offsets.length = 0
      appended += rows.count
    }
    return { counts: { ...this.#counts }, appended }
  }
}

interface Mark {
  readonly counts: Counts
  readonly appended: number
}

/** Appends all rows of a record, or none of them. @returns why a column cannot hold a value of theirs */
function appendRows(
  partitions: TablePartitions,
  table: Table,
  placed: readonly PlacedRow[],
  record: KafkaRecord,
  epoch: number,
): Rejection | undefined {
  const appended: TablePartition[] = []
  for (const [index, { row, partition }] of placed.entries()) {
    const group = partitions.at(table, partition)
    try {
      group.rows.append(row, recordColumns(record, epoch, index))
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
function requireBalance(
  records: readonly KafkaRecord[],
  partitions: readonly TablePartition[],
  counts: Counts,
  before: Mark,
  flow: Flow,
): void {
  const rows = new Set<number>()
  const deadLetters = new Set<number>()
  let appended = -before.appended
  for (const partition of partitions) {
    const places = partition.table === flow.pipeline.table ? rows : deadLetters
    for (const offset of partition.offsets) places.add(offset)
    appended += partition.rows.count
  }
  const skipped = counts.skipped - before.counts.skipped
  const both = [...deadLetters].filter((offset) => rows.has(offset)).length
  const placed = rows.size + deadLetters.size + skipped
  const isBalanced = placed === records.length && appended === counts.rows - before.counts.rows + deadLetters.size
  if (both === 0 && isBalanced) return
  const [first] = records
  throw new InletError(
    'UNBALANCED',
    `pipeline ${flow.pipeline.name}: of ${records.length} records from ${first === undefined ? 'nowhere' : positionOf(first)} ` +
      `${rows.size} are rows, ${deadLetters.size} dead letters, ${skipped} skipped and ${both} in two places; nothing was committed`,
  )
}
