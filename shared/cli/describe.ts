import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { hiveType } from '#shared/formats/hive-types.ts'
import { dataPrefix } from '#shared/lake/log-keys.ts'
import { typeName } from '#shared/pipeline/columns.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Table } from '#shared/pipeline/table.ts'
import type { Completeness } from '#shared/pipeline/completeness.ts'
import type { Job } from '#shared/pipeline/job.ts'
import type { Score } from '#shared/pipeline/score.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import { athenaDdl } from './athena-ddl.ts'
import { icebergType, jsonType, parquetType } from './column-types.ts'
import { eventSchema, type JsonSchema } from './event-contract.ts'
import { examplePartition } from './example-partition.ts'
import { RAW_BYTES } from './trigger-limits.ts'

/** A column, and its type in the words of those who read it. */
export interface ColumnDescription {
  readonly name: string
  readonly nullable: boolean
  readonly type: string
  /** Null in a table of JSON Lines. */
  readonly parquet: string | null
  /** Null in a table of Parquet. */
  readonly json: string | null
  /** Null where Iceberg's version 2 has no such type, and in a table of JSON Lines, which Iceberg does not hold. */
  readonly iceberg: string | null
  /** The type that Glue and Athena know it by, in a table of plain files. */
  readonly athena: string
}

export interface TableDescription {
  readonly name: string
  readonly format: Table['format']
  readonly columns: readonly ColumnDescription[]
  readonly partitions: readonly { readonly name: string; readonly column: string; readonly transform: string }[]
  /** Where a file of the table could lie, below the lake. */
  readonly examplePath: string
  readonly athenaDdl: string
}

/** A score as far as it is data: what its features and its codec do is code. */
export interface ScoreDescription extends Omit<Score, 'features' | 'codec' | 'into'> {
  readonly contentType: string
  /** The columns of a prediction, and which part of it each has; null for all of it. */
  readonly into: readonly { readonly column: string; readonly part: string | number | null }[]
}

export interface PipelineDescription {
  readonly name: string
  readonly topic: string
  readonly version: string
  /** What producers promise, as JSON Schema. */
  readonly event: JsonSchema
  readonly trigger: Trigger
  /**
   * What can bring it its records: Lambda's payload ends before Kafka's messages do, of which the topic declares how large they
   * may be; and only Lambda asks a schema registry.
   */
  readonly runtimes: readonly ('lambda' | 'container')[]
  readonly policies: Pick<Pipeline, 'tombstones' | 'unknownKeys'> & { readonly keep: Table['keep'] }
  readonly table: TableDescription
  readonly scores: readonly ScoreDescription[]
  readonly jobs: readonly Job[]
  readonly completeness: Completeness
  readonly deadLetters: TableDescription
}

/** All that a pipeline's declaration means for those who write to its topic and those who read its tables. */
export function describePipeline(pipeline: Pipeline, lakeUrl: string): PipelineDescription {
  const { name, topic, topicSettings, version, event, trigger, table, tombstones, unknownKeys } = pipeline
  const isTooLarge = (topicSettings.maxMessageBytes ?? 0) > RAW_BYTES
  const isDecoded = trigger.schemaRegistry !== null
  return {
    name,
    topic,
    version,
    event: eventSchema(event),
    trigger,
    runtimes: [...(isTooLarge ? [] : ['lambda' as const]), ...(isDecoded ? [] : ['container' as const])],
    policies: { tombstones, unknownKeys, keep: table.keep },
    table: describeTable(table, lakeUrl),
    scores: pipeline.scores.map(describeScore),
    jobs: pipeline.jobs,
    completeness: pipeline.completeness,
    deadLetters: describeTable(deadLetterTable(pipeline), lakeUrl),
  }
}

function describeScore({ features: _features, codec, into, ...score }: Score): ScoreDescription {
  const parts = into.map(({ column, part }) => ({ column, part }))
  return { ...score, contentType: codec.contentType, into: parts }
}

function describeTable(table: Table, lakeUrl: string): TableDescription {
  const isParquet = table.format === 'parquet'
  const columns = table.columns.map(({ name, type, nullable }) => ({
    name,
    nullable,
    type: typeName(type),
    parquet: isParquet ? parquetType(type) : null,
    json: isParquet ? null : jsonType(type),
    iceberg: isParquet ? icebergType(type) : null,
    athena: hiveType(type, isParquet ? 'parquet' : 'json'),
  }))
  const directories = examplePartition(table.partitionSpec)
  return {
    name: table.name,
    format: table.format,
    columns,
    partitions: table.partitionSpec.map(({ name, column, transform }) => ({ name, column, transform })),
    examplePath: `${dataPrefix(table.name)}${directories === '' ? '' : `${directories}/`}….${table.format}`,
    athenaDdl: athenaDdl(table, lakeUrl),
  }
}
