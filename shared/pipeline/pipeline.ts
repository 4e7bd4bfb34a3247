import { createHash } from 'node:crypto'
import type * as z from 'zod'
import { AUDIT_COLUMNS, type Column, columnsOf } from './columns.ts'
import { PipelineDefinitionError } from './errors.ts'
import { type PartitionSpec, type PartitionTransform, partitionSpecOf } from './partition.ts'
import type { KafkaRecord } from './record.ts'

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

type TransformFor<Value> = [Value] extends [Date]
  ? 'day'
  : [Value] extends [string | number | bigint | boolean]
    ? 'identity'
    : never

type PartitionBy<R extends z.ZodObject> = {
  readonly [Field in keyof z.output<R> as TransformFor<NonNullable<z.output<R>[Field]>> extends never
    ? never
    : Field]?: TransformFor<NonNullable<z.output<R>[Field]>>
}

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
    /** Field → transform, in the order of the directories; none for an unpartitioned table. */
    readonly partitionBy?: PartitionBy<NoInfer<R>>
  }
}

/** A table as writers and readers need it. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  readonly partitionSpec: PartitionSpec
  /** Digest of the columns. */
  readonly schemaId: string
  /** Digest of the partition spec. */
  readonly specId: string
}

/** A checked pipeline: plain data that every runtime reads. */
export interface Pipeline {
  readonly name: string
  readonly topic: string
  readonly event: z.ZodType
  readonly row: z.ZodObject
  readonly transform: (input: TransformInput<never>) => unknown
  readonly table: Table
  /** Digest of the declaration: changes when a contract, the transform or the table does. */
  readonly version: string
}

const OPTIONS = ['name', 'topic', 'event', 'row', 'transform', 'lake']
const LAKE_OPTIONS = ['table', 'partitionBy']

/**
 * Checks a declaration and makes the pipeline of it.
 * @throws PipelineDefinitionError naming the option or the field that is wrong.
 */
export function definePipeline<E extends z.ZodType, R extends z.ZodObject, T extends Transform<E, R>>(
  declaration: PipelineDeclaration<E, R, T>,
): Pipeline {
  const { name, topic, event, row, transform, lake } = declaration
  try {
    onlyKnown(declaration, OPTIONS, '')
    matches('name', name, /^[a-z][a-z0-9-]{0,47}$/, 'lower-case letters, digits and dashes, at most 48')
    matches('topic', topic, /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/, 'a name that Kafka accepts')
    isSchema('event', event)
    isSchema('row', row)
    if (row._zod.def.type !== 'object')
      throw new PipelineDefinitionError('row: a row is a z.object(…), one field per column')
    if (typeof transform !== 'function') throw new PipelineDefinitionError('transform: expected a function')
    if (typeof lake !== 'object' || lake === null) throw new PipelineDefinitionError('lake: expected { table, … }')
    onlyKnown(lake, LAKE_OPTIONS, 'lake.')
    matches(
      'lake.table',
      lake.table,
      /^[a-z][a-z0-9_]{0,127}$/,
      'lower-case letters, digits and underscores, at most 128',
    )
    const table = defineTable(
      lake.table,
      columnsOf(row),
      (lake.partitionBy ?? {}) as Record<string, PartitionTransform>,
    )
    const version = digest([name, topic, event, row, String(transform), table])
    return { name, topic, event, row, transform, table, version }
  } catch (error) {
    if (error instanceof PipelineDefinitionError) error.message = `pipeline ${String(name)}: ${error.message}`
    throw error
  }
}

/** A table of the given columns and, behind them, Inlet's own. */
export function defineTable(
  name: string,
  columns: readonly Column[],
  partitionBy: Readonly<Record<string, PartitionTransform>>,
): Table {
  const all = [...columns, ...AUDIT_COLUMNS]
  const partitionSpec = partitionSpecOf(partitionBy, all)
  return { name, columns: all, partitionSpec, schemaId: digest(all), specId: digest(partitionSpec) }
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

/** A short digest of nested data in which schemas count by their definitions and functions by their source. */
function digest(value: unknown): string {
  const seen = new Set<unknown>()
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'function' || part instanceof RegExp || typeof part === 'bigint') return String(part)
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    if ('_zod' in part) {
      // A recursive schema meets itself again: once is enough.
      if (seen.has(part)) return 'seen'
      seen.add(part)
      return (part as z.core.$ZodType)._zod.def
    }
    return part
  })
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
