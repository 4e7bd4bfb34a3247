import type * as z from 'zod'
import { type Column, RECORD_COLUMNS, type RecordPart } from './columns.ts'
import { digest } from './digest.ts'
import { PipelineDefinitionError } from './errors.ts'
import type { PartitionBy } from './partition-by.ts'
import type { KafkaRecord } from './record.ts'
import { columnsOf } from './row-columns.ts'
import { defineTable, type FileFormat, type Table, type TableOptions } from './table.ts'

/** What a transform is given: the validated event and the record that carried it. */
export interface TransformInput<Event> {
  readonly value: Event
  readonly record: KafkaRecord
}

/** Event → row, several rows, or null to skip the record. */
type Transform<E extends z.ZodType, R extends z.ZodObject> = (
  input: TransformInput<z.output<E>>,
) => z.input<R> | readonly z.input<R>[] | null

type Scalar = string | number | bigint | boolean | null | undefined | Date

/** The paths of fields that `Value` has and `Shape` has not: TypeScript alone allows them in what a function returns. */
type ExtraField<Value, Shape> = unknown extends Value
  ? never
  : Value extends Scalar
    ? never
    : Value extends readonly (infer Item)[]
      ? ExtraField<Item, Shape extends readonly (infer Element)[] ? Element : Shape>
      : {
          [Field in keyof Value & string]: Field extends keyof Shape
            ? Below<Field, ExtraField<Value[Field], NonNullable<Shape[Field]>>>
            : Field
        }[keyof Value & string]

type Below<Field extends string, Path> = Path extends string ? `${Field}.${Path}` : never

/** What the compiler shows for a transform that returns a field too many. */
interface UnknownRowField<Path> {
  readonly 'the row contract has no such field': Path
}

type Exact<Result, Row> = [ExtraField<Result, Row>] extends [never] ? unknown : UnknownRowField<ExtraField<Result, Row>>

export type TombstonePolicy = 'skip' | 'reject' | 'row'
export type UnknownKeysPolicy = 'strip' | 'reject'

/** A pipeline as its owner writes it. */
export interface PipelineDeclaration<E extends z.ZodType, R extends z.ZodObject, T extends Transform<E, R>> {
  /** Lower case, digits and dashes: names functions, logs and folders. */
  readonly name: string
  /** The Kafka topic it reads. */
  readonly topic: string
  /** What producers promise: the contract of a decoded value. */
  readonly event: E
  /** What the lake promises: the contract of a row, one column per field. */
  readonly row: R
  /** Event → row, several rows, or null to skip the record. Pure: it may run any number of times. */
  readonly transform: T & Exact<ReturnType<T>, z.input<R>>
  readonly lake: {
    /** Lower case, digits and underscores: what Glue and Athena accept without quotes. */
    readonly table: string
    /**
     * Field → transform (or several, in an array), in the order of the directories: `'identity'`, `'hour'`, `'day'`,
     * `'month'`, `'year'`, `{ bucket: 16 }`, `{ truncate: 4 }`, as Iceberg defines them. None for an unpartitioned table.
     */
    readonly partitionBy?: PartitionBy<NoInfer<R>>
    /** How data files are written; Parquet unless said otherwise. */
    readonly format?: FileFormat
    /** Parts of the Kafka record to keep as columns: `_key`, `_headers`, `_timestamp_type`. */
    readonly keep?: readonly RecordPart[]
  }
  /** What a null value is: nothing to land (the default), a fault, or a row whose contract's columns are all null. */
  readonly tombstones?: TombstonePolicy
  /** What happens to keys that the event contract does not name: they are dropped (the default), or a fault. */
  readonly unknownKeys?: UnknownKeysPolicy
}

/** A checked pipeline: plain data that every runtime reads. */
export interface Pipeline {
  readonly name: string
  readonly topic: string
  readonly event: z.ZodType
  readonly row: z.ZodObject
  readonly transform: (input: TransformInput<never>) => unknown
  readonly table: Table
  readonly tombstones: TombstonePolicy
  readonly unknownKeys: UnknownKeysPolicy
  /** Digest of the declaration: changes when a contract, the transform or the table does. */
  readonly version: string
}

const OPTIONS = ['name', 'topic', 'event', 'row', 'transform', 'lake', 'tombstones', 'unknownKeys']
const LAKE_OPTIONS = ['table', 'partitionBy', 'format', 'keep']

/**
 * Checks a declaration and makes the pipeline of it.
 * @throws PipelineDefinitionError naming the option or the field that is wrong.
 */
export function definePipeline<E extends z.ZodType, R extends z.ZodObject, T extends Transform<E, R>>(
  declaration: PipelineDeclaration<E, R, T>,
): Pipeline {
  const { name, topic, event, row, transform, lake, tombstones = 'skip', unknownKeys = 'strip' } = declaration
  try {
    onlyKnown(declaration, OPTIONS, '')
    matches('name', name, /^[a-z][a-z0-9-]{0,47}$/, 'lower-case letters, digits and dashes, at most 48')
    matches('topic', topic, /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/, 'a name that Kafka accepts')
    isSchema('event', event)
    isSchema('row', row)
    if (row._zod.def.type !== 'object')
      throw new PipelineDefinitionError('row: a row is a z.object(…), one field per column')
    if (typeof transform !== 'function') throw new PipelineDefinitionError('transform: expected a function')
    if (Object.prototype.toString.call(transform) === '[object AsyncFunction]')
      throw new PipelineDefinitionError(
        'transform: expected a function that is not async: rows are made one after another',
      )
    if (typeof lake !== 'object' || lake === null) throw new PipelineDefinitionError('lake: expected { table, … }')
    onlyKnown(lake, LAKE_OPTIONS, 'lake.')
    matches(
      'lake.table',
      lake.table,
      /^[a-z][a-z0-9_]{0,127}$/,
      'lower-case letters, digits and underscores, at most 128',
    )
    oneOf('lake.format', lake.format ?? 'parquet', ['parquet', 'jsonl.gz', 'jsonl.zst'])
    for (const part of lake.keep ?? []) oneOf('lake.keep', part, Object.keys(RECORD_COLUMNS))
    if (new Set(lake.keep).size < (lake.keep ?? []).length)
      throw new PipelineDefinitionError('lake.keep: names a part twice')
    for (const column of Object.keys(lake.partitionBy ?? {})) requireContractColumn(column)
    oneOf('tombstones', tombstones, ['skip', 'reject', 'row'])
    oneOf('unknownKeys', unknownKeys, ['strip', 'reject'])
    const columns = columnsOf(row)
    if (tombstones === 'row') requireRoomForTombstones(columns, lake.keep ?? [])
    const table = defineTable(lake.table, columns, lake as TableOptions)
    const version = digest([name, topic, event, row, String(transform), table, tombstones, unknownKeys])
    return { name, topic, event, row, transform, table, tombstones, unknownKeys, version }
  } catch (error) {
    if (error instanceof PipelineDefinitionError) error.message = `pipeline ${String(name)}: ${error.message}`
    throw error
  }
}

/** Rows are partitioned before the record's own columns join them. */
function requireContractColumn(column: string): void {
  if (column.startsWith('_'))
    throw new PipelineDefinitionError(
      `lake.partitionBy.${column}: a table is partitioned by fields of the row contract`,
    )
}

/** The row of a tombstone is null but for the record's own columns, so these must be allowed and its key must be there. */
function requireRoomForTombstones(columns: readonly Column[], keep: readonly RecordPart[]): void {
  const required = columns.find((column) => !column.nullable)
  if (required !== undefined)
    throw new PipelineDefinitionError(`row.${required.name}: tombstones as rows need every field to be nullable`)
  if (!keep.includes('key'))
    throw new PipelineDefinitionError("lake.keep: tombstones as rows need 'key', or no one can tell what was deleted")
}

function oneOf(option: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'string' || !known.includes(value))
    throw new PipelineDefinitionError(`${option}: expected ${known.join(', ')}, found ${JSON.stringify(value)}`)
}

function onlyKnown(options: object, known: readonly string[], prefix: string): void {
  for (const option of Object.keys(options)) {
    if (!known.includes(option))
      throw new PipelineDefinitionError(`${prefix}${option}: unknown option; there are ${known.join(', ')}`)
  }
}

function matches(option: string, value: unknown, pattern: RegExp, expected: string): void {
  if (typeof value !== 'string' || !pattern.test(value))
    throw new PipelineDefinitionError(`${option}: expected ${expected}, found ${JSON.stringify(value)}`)
}

function isSchema(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || !('_zod' in value))
    throw new PipelineDefinitionError(`${option}: expected a zod 4 schema`)
}
