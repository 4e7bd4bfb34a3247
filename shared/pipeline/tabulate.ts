import { deadLetterRow } from './dead-letter.ts'
import { InletError } from './errors.ts'
import type { Counts, Outcome, Row } from './outcome.ts'
import { type PartitionValue, partitionKey, partitionOf } from './partition.ts'
import type { Pipeline, Table } from './pipeline.ts'
import { type KafkaRecord, positionOf } from './record.ts'

/** Rows of one table partition, to become one data file. */
export interface TablePartition {
  readonly table: Table
  readonly values: readonly PartitionValue[]
  readonly rows: Row[]
}

/** Records by outcome, grouped into the files they belong to. */
export interface Tabulation {
  readonly partitions: readonly TablePartition[]
  readonly rejected: readonly number[]
  readonly counts: Counts
}

/** Groups what became of records (`outcomes[i]` of `records[i]`) by table and table partition, and adds the audit columns. */
export function tabulate(
  records: readonly KafkaRecord[],
  outcomes: readonly Outcome[],
  pipeline: Pipeline,
  deadLetters: Table,
  epoch: number,
): Tabulation {
  const groups = new Map<string, TablePartition>()
  const rejected: number[] = []
  const counts = { records: records.length, written: 0, skipped: 0, rejected: 0, rows: 0 }

  const add = (table: Table, values: readonly PartitionValue[], row: Row): void => {
    const key = `${table.name}\u0000${partitionKey(values)}`
    let group = groups.get(key)
    if (group === undefined) {
      group = { table, values, rows: [] }
      groups.set(key, group)
    }
    group.rows.push(row)
  }

  for (const [i, record] of records.entries()) {
    const outcome = outcomes[i] as Outcome
    counts[outcome.kind] += 1
    if (outcome.kind === 'written') {
      for (const [index, { row, partition }] of outcome.rows.entries()) {
        add(pipeline.table, partition, Object.assign(row, auditOf(record, epoch, index)))
        counts.rows += 1
      }
    } else if (outcome.kind === 'rejected') {
      const row = { ...deadLetterRow(record, outcome.rejection, pipeline), ...auditOf(record, epoch, 0) }
      const partition = partitionOf(row, deadLetters.partitionSpec)
      add(deadLetters, partition.ok ? partition.value : deadLetters.partitionSpec.map(() => null), row)
      rejected.push(record.offset)
    }
  }
  const tabulation = { partitions: [...groups.values()], rejected, counts }
  requireBalance(records, tabulation, pipeline)
  return tabulation
}

function auditOf(record: KafkaRecord, epoch: number, index: number): Row {
  const { partition, offset, timestamp } = record
  return { _epoch: epoch, _partition: partition, _offset: offset, _index: index, _timestamp: timestamp }
}

/**
 * Every record ends in exactly one place. Counted anew from the rows that are about to be written, not from the
 * outcomes they came from.
 */
function requireBalance(records: readonly KafkaRecord[], { partitions, counts }: Tabulation, pipeline: Pipeline): void {
  const seen = new Map<number, string>()
  let twice = 0
  for (const { table, rows } of partitions) {
    for (const row of rows) {
      const id = table === pipeline.table ? 'row' : 'dead letter'
      const offset = row['_offset'] as number
      const before = seen.get(offset)
      if (before !== undefined && (before !== id || id === 'dead letter')) twice += 1
      seen.set(offset, id)
    }
  }
  if (twice === 0 && seen.size + counts.skipped === records.length) return
  const [first] = records
  throw new InletError(
    'UNBALANCED',
    `pipeline ${pipeline.name}: of ${records.length} records from ${first === undefined ? 'nowhere' : positionOf(first)} ` +
      `${seen.size} are rows or dead letters, ${counts.skipped} are skipped and ${twice} are in two places; nothing was committed`,
  )
}
