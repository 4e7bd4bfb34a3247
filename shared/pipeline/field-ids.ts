import { type Column, type ColumnType, typeName } from './columns.ts'
import type { PartitionSpec } from './partition-spec.ts'
import {
  type LockedField,
  type LockedSpec,
  lockFault,
  LockOutdatedError,
  NO_LOCK,
  pathText,
  type TableLock,
} from './table-lock.ts'

/** What a lock is made for. */
export interface LockedTable {
  readonly columns: readonly Column[]
  readonly partitionSpec: PartitionSpec
}

/**
 * The lock of a table: the one from before, with new ids for what is new and without what is gone; the same object when
 * nothing has changed.
 *
 * A field that is added later is optional in the table whatever its contract says, for older files have no values of it; and
 * it stays optional once it was. Integers, floats and decimals may become wider. A column of another name is another column,
 * unless an alias says that it is the one of that name in the lock, which is gone from the table: that one is renamed.
 * @throws PipelineDefinitionError naming the field whose type cannot become what is asked for or is unknown to Iceberg, or
 * that the table is or was partitioned by and that is gone.
 */
export function lockFor(table: LockedTable, before = NO_LOCK): TableLock {
  const gone = new Map(before.columns.map((field) => [keyOf(field.path), field]))
  const columns: LockedField[] = []
  let { lastColumnId } = before

  /** @param lockedWithin what `within` is called in the lock from before */
  const visit = (
    column: Column,
    within: readonly string[],
    lockedWithin: readonly string[],
    hasOlderFiles: boolean,
  ): void => {
    const path = [...within, column.name]
    const type = lockedType(column.type, path)
    const lockedPath = [column.name, ...(column.aliases ?? [])]
      .map((name) => [...lockedWithin, name])
      .find((known) => gone.has(keyOf(known)))
    const locked = lockedPath && gone.get(keyOf(lockedPath))
    if (locked === undefined)
      columns.push({ id: ++lastColumnId, path, type, required: !column.nullable && !hasOlderFiles })
    else {
      gone.delete(keyOf(locked.path))
      const required = locked.required && !column.nullable
      const field = renamed(locked, path)
      columns.push({ ...field, type: widened(field, type), required })
    }
    // Older files lack all of what is new, so that its parts may be required within it.
    for (const child of childrenOf(column.type))
      visit(child, path, lockedPath ?? path, hasOlderFiles && locked !== undefined)
  }
  for (const column of table.columns) visit(column, [], [], before !== NO_LOCK)

  for (const field of gone.values()) requireNoSource(field, before.specs)
  const retired = [...before.retired, ...[...gone.values()].map(retiredField)]
  const lock = { ...before, lastColumnId, columns, retired, ...specsFor(table.partitionSpec, columns, before) }
  return JSON.stringify(lock) === JSON.stringify(before) ? before : { ...lock, revision: before.revision + 1 }
}

/**
 * The columns of a table, each field with the id that the lock has for it.
 * @throws LockOutdatedError naming what the lock does not know, or knows otherwise
 */
export function withFieldIds(table: LockedTable, lock: TableLock): readonly Column[] {
  const needed = lockFor(table, lock)
  if (needed !== lock) throw new LockOutdatedError(difference(lock, needed), needed)
  const ids = new Map(lock.columns.map(({ id, path }) => [keyOf(path), id]))
  const idOf = (path: readonly string[]): number => ids.get(keyOf(path)) ?? 0
  return table.columns.map((column) => identified(column, [], idOf))
}

function identified(column: Column, within: readonly string[], idOf: (path: readonly string[]) => number): Column {
  const path = [...within, column.name]
  return { ...column, id: idOf(path), type: identifiedType(column.type, path, idOf) }
}

function identifiedType(
  type: ColumnType,
  path: readonly string[],
  idOf: (path: readonly string[]) => number,
): ColumnType {
  switch (type.kind) {
    case 'list':
      return { ...type, element: identified({ ...type.element, name: 'element' }, path, idOf) }
    case 'map':
      return { ...type, keyId: idOf([...path, 'key']), value: identified({ ...type.value, name: 'value' }, path, idOf) }
    case 'struct':
      return { ...type, fields: type.fields.map((field) => identified(field, path, idOf)) }
    default:
      return type
  }
}

/** The field under its new path; the name that it had is kept, for files without ids have it. */
function renamed(field: LockedField, path: readonly string[]): LockedField {
  const [before = '', after] = [field.path.at(-1), path.at(-1)]
  if (before === after) return { ...field, path }
  const aliases = [...new Set([...(field.aliases ?? []), before])].filter((name) => name !== after)
  const { id, type, required } = field
  return { id, path, type, aliases, required }
}

/** What is kept of a field that is gone. */
function retiredField({ id, path, type, aliases }: LockedField): TableLock['retired'][number] {
  return aliases === undefined ? { id, path, type } : { id, path, type, aliases }
}

/** What lies directly within a type. */
function childrenOf(type: ColumnType): readonly Column[] {
  switch (type.kind) {
    case 'list':
      return [{ ...type.element, name: 'element' }]
    case 'map':
      return [
        { name: 'key', type: { kind: 'string' }, nullable: false },
        { ...type.value, name: 'value' },
      ]
    case 'struct':
      return type.fields
    default:
      return []
  }
}

function lockedType(type: ColumnType, path: readonly string[]): string {
  if (type.kind === 'timestamp' && type.unit === 'ms')
    throw lockFault(`"${pathText(path)}": Iceberg's version 2 has no timestamp of milliseconds; use "timestamp"`)
  return type.kind === 'list' || type.kind === 'map' || type.kind === 'struct' ? type.kind : typeName(type)
}

/** The new type of a field, if what older files hold can be read as that (specification, "Schema Evolution"). */
function widened({ path, type: before }: LockedField, type: string): string {
  if (type === before) return type
  const isWider = (before === 'int32' && type === 'int64') || (before === 'float' && type === 'double')
  if (isWider || isWiderDecimal(before, type)) return type
  throw lockFault(
    `"${pathText(path)}" is ${before} in the table and cannot become ${type}: give the new one another name. ` +
      "Only int32 may become int64, float double, and a decimal's precision greater",
  )
}

function isWiderDecimal(before: string, after: string): boolean {
  const [from, to] = [before, after].map((type) => /^decimal\((\d+),(\d+)\)$/.exec(type)?.slice(1).map(Number))
  if (from === undefined || to === undefined) return false
  return from[1] === to[1] && (from[0] ?? 0) < (to[0] ?? 0)
}

/** Engines refuse a table whose files are partitioned by what it has no column of. */
function requireNoSource({ id, path }: LockedField, specs: readonly LockedSpec[]): void {
  if (specs.some(({ fields }) => fields.some(({ source }) => source === id)))
    throw lockFault(`the table is or was partitioned by "${pathText(path)}": the column has to stay`)
}

/** The same partition field keeps its id, and the same spec too (specification, "Partitioning"). */
function specsFor(
  partitionSpec: PartitionSpec,
  columns: readonly LockedField[],
  before: TableLock,
): Pick<TableLock, 'lastPartitionId' | 'spec' | 'specs'> {
  let { lastPartitionId } = before
  const known = before.specs.flatMap(({ fields }) => fields)
  const fields = partitionSpec.map(({ column, transform, name }) => {
    const source = columns.find(({ path }) => path.length === 1 && path[0] === column)?.id ?? 0
    const same = known.find((field) => field.source === source && field.transform === transform && field.name === name)
    return same ?? { id: ++lastPartitionId, source, transform, name }
  })
  const same = before.specs.find((spec) => JSON.stringify(spec.fields) === JSON.stringify(fields))
  if (same !== undefined) return { lastPartitionId, spec: same.id, specs: before.specs }
  const id = 1 + Math.max(-1, ...before.specs.map((spec) => spec.id))
  return { lastPartitionId, spec: id, specs: [...before.specs, { id, fields }] }
}

/** What a lock lacks, for people. */
function difference(lock: TableLock, needed: TableLock): string {
  const known = new Map(lock.columns.map((field) => [field.id, field]))
  for (const { id, path, type, required } of needed.columns) {
    const field = known.get(id)
    if (field === undefined) return `it has no id for "${pathText(path)}"`
    if (pathText(field.path) !== pathText(path))
      return `"${pathText(path)}" is still called "${pathText(field.path)}" in it`
    if (field.type !== type) return `"${pathText(path)}" is ${field.type} in it, not ${type}`
    if (field.required !== required) return `"${pathText(path)}" is required in it, and may be null in the row contract`
  }
  const gone = needed.retired.at(lock.retired.length)
  if (gone !== undefined) return `it still has "${pathText(gone.path)}" among the columns`
  if (needed.spec !== lock.spec) return 'it says nothing of how the table is partitioned now'
  return 'its fields have another order'
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path)
}
