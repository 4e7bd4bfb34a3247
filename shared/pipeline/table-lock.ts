/**
 * The lock of a table: which id each of its fields has. Readers of Iceberg find a column by its id and not by its name, so an
 * id that is given to another column would show the values of the one under the name of the other. Hence ids are given out
 * once (see `field-ids.ts`), into a file that is committed beside the pipeline, and never at run time: code that is rolled
 * back brings its older lock along, which can only know fewer ids.
 */
import * as z from 'zod'
import { PipelineDefinitionError } from './errors.ts'

/** Iceberg keeps the ids above for its own columns (specification, "Reserved Field IDs"). */
const MAX_FIELD_ID = 2_147_483_447
/** The first id of a partition field (specification, "Partition Evolution"). */
const FIRST_PARTITION_ID = 1000

/** A list that fits is on one line, as the project's formatter has it. */
const LINE_WIDTH = 119

const FieldId = z.int().min(1).max(MAX_FIELD_ID)
const PartitionFieldId = z.int().min(FIRST_PARTITION_ID).max(MAX_FIELD_ID)

const Field = {
  id: FieldId,
  /** Names from the column inwards: of a struct its fields', of a list `element`, of a map `key` and `value`. */
  path: z.array(z.string()).min(1).readonly(),
  /** As `typeName` has it; of a list, a map or a struct no more than which of them it is. */
  type: z.string(),
  /** What it was called before: files without ids are read by these names, too. */
  aliases: z.array(z.string()).readonly().exactOptional(),
}

const PartitionField = z
  .strictObject({ id: PartitionFieldId, source: FieldId, transform: z.string(), name: z.string() })
  .readonly()

const Lock = z
  .strictObject({
    format: z.literal(1),
    /** Grows with every change of the lock. */
    revision: z.int().min(1),
    lastColumnId: z.int().min(0).max(MAX_FIELD_ID),
    lastPartitionId: z.int().min(FIRST_PARTITION_ID - 1),
    /** Id of the partition spec that new files are written by. */
    spec: z.int().min(0),
    columns: z.array(z.strictObject({ ...Field, required: z.boolean() }).readonly()).readonly(),
    /** Fields that the table had once. Their ids are not given out again. */
    retired: z.array(z.strictObject(Field).readonly()).readonly(),
    /** Every partition spec there ever was: files of each of them may be in the table. */
    specs: z
      .array(z.strictObject({ id: z.int().min(0), fields: z.array(PartitionField).readonly() }).readonly())
      .readonly(),
  })
  .readonly()

/** What `functions/<name>/table.lock.json` holds. */
export type TableLock = z.output<typeof Lock>
export type LockedField = TableLock['columns'][number]
export type LockedSpec = TableLock['specs'][number]

/** The lock of a table without columns and specs: what a first lock is made of. */
export const NO_LOCK: TableLock = {
  format: 1,
  revision: 0,
  lastColumnId: 0,
  lastPartitionId: FIRST_PARTITION_ID - 1,
  spec: 0,
  columns: [],
  retired: [],
  specs: [],
}

/** The lock is not the one that the table needs now. */
export class LockOutdatedError extends PipelineDefinitionError {
  /** The one that it needs: for the lock file, if the change is meant. */
  readonly needed: TableLock

  constructor(reason: string, needed: TableLock) {
    super(`lake.lock: ${reason}; "inlet table lock" brings the lock file up to date: commit it with the pipeline`)
    this.needed = needed
  }
}

/** What a lock file holds; `{}` is the lock of a table that has none yet. @throws PipelineDefinitionError saying where it is not a lock, or contradicts itself */
export function parseLock(content: unknown): TableLock {
  if (typeof content === 'object' && content !== null && Object.keys(content).length === 0) return NO_LOCK
  const parsed = Lock.safeParse(content)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw lockFault(`${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not a lock'}`)
  }
  const lock = parsed.data
  const fields = [...lock.columns, ...lock.retired]
  requireOnce(
    'the id',
    fields.map(({ id }) => String(id)),
  )
  requireOnce(
    'the field',
    lock.columns.map(({ path }) => pathText(path)),
  )
  requireOnce(
    'the spec',
    lock.specs.map(({ id }) => String(id)),
  )
  const beyond = fields.find(({ id }) => id > lock.lastColumnId)
  if (beyond !== undefined) throw lockFault(`"${pathText(beyond.path)}" has the id ${beyond.id}, above lastColumnId`)
  const sources = new Set(lock.columns.map(({ id }) => id))
  for (const { id, name, source } of lock.specs.flatMap((spec) => spec.fields)) {
    if (id > lock.lastPartitionId) throw lockFault(`"${name}" has the id ${id}, above lastPartitionId`)
    if (!sources.has(source)) throw lockFault(`"${name}" is of the field ${source}, which is not among the columns`)
  }
  if (!lock.specs.some(({ id }) => id === lock.spec)) throw lockFault(`there is no spec ${lock.spec}`)
  return lock
}

/** A lock as its file holds it: one field a line, so that a difference of two shows what has changed. */
export function lockText(lock: TableLock): string {
  const entries = Object.entries(lock).map(([key, value]) => {
    const line = `  "${key}": ${spaced(value)}`
    if (!Array.isArray(value) || line.length <= LINE_WIDTH) return line
    return `  "${key}": [\n${value.map((item) => `    ${spaced(item)}`).join(',\n')}\n  ]`
  })
  return `{\n${entries.join(',\n')}\n}\n`
}

/** `a.b.element`: a field's place for people. */
export function pathText(path: readonly string[]): string {
  return path.join('.')
}

export function lockFault(reason: string): PipelineDefinitionError {
  return new PipelineDefinitionError(`lake.lock: ${reason}`)
}

function requireOnce(what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) throw lockFault(`${what} ${twice} is there twice`)
}

/** JSON on one line, with the spaces that a formatter would put. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}: ${spaced(part)}`)
    .join(', ')} }`
}
