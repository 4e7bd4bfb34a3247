import type * as z from 'zod'
import { type Column, RECORD_COLUMNS, type RecordPart } from './columns.ts'
import { type Completeness, type CompletenessOptions, defineCompleteness } from './completeness.ts'
import { matches, oneOf, onlyKnown } from './declared-options.ts'
import { isDeadLetterTable } from './dead-letter-name.ts'
import { digest } from './digest.ts'
import { PipelineDefinitionError } from './errors.ts'
import { GENERATION_SUFFIX, tableOfGeneration } from './generation.ts'
import type { JobsOptions } from './job-options.ts'
import { defineJobs, type Job, requireVisibleFailures } from './job.ts'
import type { PartitionBy } from './partition-by.ts'
import type { KafkaRecord } from './record.ts'
import { columnsOf } from './row-columns.ts'
import { defineScores, type Score, type ScoreDeclaration } from './score.ts'
import { defineTable, type FileFormat, type Table, type TableLayout, type TableOptions } from './table.ts'
import { defineTopicSettings, type TopicSettings, type TopicSettingsOptions } from './topic-settings.ts'
import { defineTrigger, type Trigger, type TriggerOptions } from './trigger.ts'

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
export type CommitPolicy = 'scheduled' | 'immediate'

/** A pipeline as its owner writes it. */
export interface PipelineDeclaration<E extends z.ZodType, R extends z.ZodObject, T extends Transform<E, R>> {
  /** Lower case, digits and dashes: names functions, logs and folders. */
  readonly name: string
  /** The Kafka topic it reads. */
  readonly topic: string
  /** What the topic is to be like: `inlet topics apply` makes it so. Changes nothing of what becomes of a record. */
  readonly topicSettings?: TopicSettingsOptions
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
    /**
     * `'iceberg'`, the default: a table in a catalog, which shows each row once to every engine. `'files'`: plain files, for
     * readers without a catalog; those who list them may see what a crash has left. JSON Lines are always plain files.
     */
    readonly layout?: TableLayout
    /**
     * When what has landed enters the Iceberg tables: by the committer's schedule (the default), or by the function itself
     * right after each batch, as a snapshot of its own.
     */
    readonly commit?: CommitPolicy
    /** How data files are written; Parquet unless said otherwise. */
    readonly format?: FileFormat
    /** Parts of the Kafka record to keep as columns: `_key`, `_headers`, `_timestamp_type`. */
    readonly keep?: readonly RecordPart[]
    /**
     * What `table.lock.json` beside the pipeline holds: the ids of the table's fields, by which Iceberg knows them.
     * `import lock from './table.lock.json' with { type: 'json' }`; a first one is `{}`. Plain files need none.
     */
    readonly lock?: unknown
    /** When the data of a window (hour, day …) counts as complete. Changes nothing of what becomes of a record. */
    readonly completeness?: CompletenessOptions
  }
  /** By name: numbers that models behind SageMaker endpoints give each row, on its way or later. */
  readonly scores?: Readonly<Record<string, ScoreDeclaration<NoInfer<R>>>>
  /** What a null value is: nothing to land (the default), a fault, or a row whose contract's columns are all null. */
  readonly tombstones?: TombstonePolicy
  /** What happens to keys that the event contract does not name: they are dropped (the default), or a fault. */
  readonly unknownKeys?: UnknownKeysPolicy
  /**
   * Which replay of the topic this is, from 0. Each has a commit log and tables of its own, beside those of the one before:
   * after `inlet replay` into generation 1 the declaration says 1, and `flights_g1` is the table that goes on.
   */
  readonly generation?: number
  /** How Lambda feeds the pipeline: batches, retries, filters. Changes nothing of what becomes of a record. */
  readonly trigger?: TriggerOptions
  /** Glue and EMR jobs, and when they run: for a window once, when its data is complete. */
  readonly jobs?: JobsOptions
}

/** A checked pipeline: plain data that every runtime reads. */
export interface Pipeline {
  readonly name: string
  readonly topic: string
  readonly topicSettings: TopicSettings
  readonly generation: number
  readonly event: z.ZodType
  readonly row: z.ZodObject
  readonly transform: (input: TransformInput<never>) => unknown
  readonly table: Table
  /** In the order in which rows get them. */
  readonly scores: readonly Score[]
  readonly tombstones: TombstonePolicy
  readonly unknownKeys: UnknownKeysPolicy
  readonly commit: CommitPolicy
  readonly trigger: Trigger
  readonly completeness: Completeness
  readonly jobs: readonly Job[]
  /** Digest of the declaration: changes when a contract, the transform or the table does. */
  readonly version: string
}

const OPTIONS = [
  'name',
  'topic',
  'topicSettings',
  'event',
  'row',
  'transform',
  'lake',
  'scores',
  'tombstones',
  'unknownKeys',
  'generation',
  'trigger',
  'jobs',
]
const LAKE_OPTIONS = ['table', 'partitionBy', 'layout', 'commit', 'format', 'keep', 'lock', 'completeness']

/**
 * Checks a declaration and makes the pipeline of it.
 * @throws PipelineDefinitionError naming the option or the field that is wrong.
 */
export function definePipeline<E extends z.ZodType, R extends z.ZodObject, T extends Transform<E, R>>(
  declaration: PipelineDeclaration<E, R, T>,
): Pipeline & { readonly event: E } {
  const {
    name,
    topic,
    event,
    row,
    transform,
    lake,
    tombstones = 'skip',
    unknownKeys = 'strip',
    generation = 0,
  } = declaration
  try {
    onlyKnown(declaration, OPTIONS, '')
    matches('name', name, /^[a-z][a-z0-9-]{0,47}$/, 'lower-case letters, digits and dashes, at most 48')
    matches('topic', topic, /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/, 'a name that Kafka accepts')
    const topicSettings = defineTopicSettings(declaration.topicSettings)
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
    if (GENERATION_SUFFIX.test(lake.table))
      throw new PipelineDefinitionError(
        `lake.table: ${lake.table} ends like the table of a replay; choose another name, or set generation`,
      )
    if (isDeadLetterTable(lake.table))
      throw new PipelineDefinitionError(
        `lake.table: ${lake.table} ends like a table of dead letters; choose another name`,
      )
    if (!Number.isSafeInteger(generation) || generation < 0)
      throw new PipelineDefinitionError(
        `generation: expected a whole number from 0, found ${JSON.stringify(generation)}`,
      )
    oneOf('lake.format', lake.format ?? 'parquet', ['parquet', 'jsonl.gz', 'jsonl.zst'])
    oneOf('lake.layout', lake.layout ?? 'files', ['iceberg', 'files'])
    const { commit = 'scheduled' } = lake
    oneOf('lake.commit', commit, ['scheduled', 'immediate'])
    if (lake.layout === 'iceberg' && (lake.format ?? 'parquet') !== 'parquet')
      throw new PipelineDefinitionError(`lake.layout: an Iceberg table is of Parquet, not of ${lake.format}`)
    for (const part of lake.keep ?? []) oneOf('lake.keep', part, Object.keys(RECORD_COLUMNS))
    if (new Set(lake.keep).size < (lake.keep ?? []).length)
      throw new PipelineDefinitionError('lake.keep: names a part twice')
    for (const column of Object.keys(lake.partitionBy ?? {})) requireContractColumn(column)
    oneOf('tombstones', tombstones, ['skip', 'reject', 'row'])
    oneOf('unknownKeys', unknownKeys, ['strip', 'reject'])
    const columns = columnsOf(row)
    if (tombstones === 'row') requireRoomForTombstones(columns, lake.keep ?? [])
    const declared = defineTable(lake.table, columns, lake as TableOptions)
    const partitionedBy = Object.keys(lake.partitionBy ?? {})
    const scores = defineScores(declaration.scores, { row, columns, partitionedBy, layout: declared.layout })
    const rules = [name, topic, event, row, String(transform), declared, tombstones, unknownKeys]
    const version = digest(scores.length === 0 ? rules : [...rules, declaration.scores])
    const table = { ...declared, name: tableOfGeneration(declared.name, generation) }
    if (commit === 'immediate' && table.layout === 'files')
      throw new PipelineDefinitionError('lake.commit: plain files have no snapshots to commit; leave it out')
    const trigger = defineTrigger(declaration.trigger)
    const completeness = defineCompleteness(lake.completeness)
    const jobs = defineJobs(declaration.jobs, table)
    requireVisibleFailures(jobs, trigger)
    const of = { name, topic, topicSettings, generation, version }
    const settings = { tombstones, unknownKeys, commit, trigger, completeness, jobs }
    return { ...of, event, row, transform, table, scores, ...settings }
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

function isSchema(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || !('_zod' in value))
    throw new PipelineDefinitionError(`${option}: expected a zod 4 schema`)
}
