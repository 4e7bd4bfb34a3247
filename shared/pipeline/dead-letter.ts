import { type Column, HEADERS } from './columns.ts'
import { deadLetterTableName } from './dead-letter-name.ts'
import lock from './dead-letter.lock.json' with { type: 'json' }
import { REJECTIONS, type Rejection, type Row } from './outcome.ts'
import type { Pipeline } from './pipeline.ts'
import type { KafkaRecord } from './record.ts'
import { defineTable, type Table } from './table.ts'

const COLUMNS: readonly Column[] = [
  { name: 'pipeline', type: { kind: 'string' }, nullable: false },
  { name: 'pipeline_version', type: { kind: 'string' }, nullable: false },
  { name: 'topic', type: { kind: 'string' }, nullable: false },
  { name: 'stage', type: { kind: 'string' }, nullable: false },
  { name: 'code', type: { kind: 'string' }, nullable: false },
  { name: 'field', type: { kind: 'string' }, nullable: true },
  { name: 'message', type: { kind: 'string' }, nullable: false },
  { name: 'key', type: { kind: 'binary' }, nullable: true },
  { name: 'value', type: { kind: 'binary' }, nullable: true },
  { name: 'headers', type: HEADERS, nullable: false },
]

/**
 * The dead-letter table of a pipeline: `<table>_dead_letters`, Parquet, by day of the Kafka timestamp. Nothing of a record
 * is missing in it, so that it can be rebuilt.
 */
export function deadLetterTable(pipeline: Pick<Pipeline, 'table'>): Table {
  const { layout } = pipeline.table
  const options = { partitionBy: { _timestamp: 'day' }, keep: ['timestampType'], layout, lock } as const
  return defineTable(deadLetterTableName(pipeline.table.name), COLUMNS, options)
}

/** A rejected record as a row of the dead-letter table: its very bytes, and why it was refused. */
export function deadLetterRow(record: KafkaRecord, rejection: Rejection, pipeline: Pipeline): Row {
  return {
    pipeline: pipeline.name,
    pipeline_version: pipeline.version,
    topic: record.topic,
    stage: REJECTIONS[rejection.code],
    code: rejection.code,
    field: rejection.field,
    message: rejection.message,
    key: record.key,
    value: record.value,
    // A dead letter is never refused: half a surrogate pair in a name, which no column holds, is replaced.
    headers: record.headers.map(({ name, value }) => ({ name: name.toWellFormed(), value })),
  }
}
