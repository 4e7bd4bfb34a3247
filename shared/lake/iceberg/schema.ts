/** Schemas of Iceberg tables as their metadata holds them (specification, Appendix C, "Schemas"). */
import type { LockedField, TableLock } from '#shared/pipeline/table-lock.ts'

/** A primitive type is its name, as `timestamptz` or `decimal(9, 2)`. */
export type IcebergType = string | StructType | ListType | MapType

export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly NestedField[]
}

export interface ListType {
  readonly type: 'list'
  readonly 'element-id': number
  readonly 'element-required': boolean
  readonly element: IcebergType
}

export interface MapType {
  readonly type: 'map'
  readonly 'key-id': number
  readonly key: IcebergType
  readonly 'value-id': number
  readonly 'value-required': boolean
  readonly value: IcebergType
}

export interface NestedField {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: IcebergType
}

export interface Schema extends StructType {
  readonly 'schema-id': number
}

/** The fields of a table, in the order of its lock. */
export function structOf(lock: Pick<TableLock, 'columns'>): StructType {
  return structWithin([], lock.columns)
}

function structWithin(path: readonly string[], fields: readonly LockedField[]): StructType {
  return { type: 'struct', fields: childrenOf(path, fields).map((field) => nestedField(field, fields)) }
}

function nestedField(field: LockedField, fields: readonly LockedField[]): NestedField {
  const { id, path, required } = field
  return { id, name: path.at(-1) ?? '', required, type: typeOf(field, fields) }
}

function typeOf({ path, type }: LockedField, fields: readonly LockedField[]): IcebergType {
  if (type === 'struct') return structWithin(path, fields)
  const [first, second] = childrenOf(path, fields).map((child) => nestedField(child, fields))
  if (type === 'list' && first !== undefined)
    return { type, 'element-id': first.id, 'element-required': first.required, element: first.type }
  if (type === 'map' && first !== undefined && second !== undefined) {
    const key = { 'key-id': first.id, key: first.type }
    return { type, ...key, 'value-id': second.id, 'value-required': second.required, value: second.type }
  }
  return primitiveOf(type)
}

function childrenOf(path: readonly string[], fields: readonly LockedField[]): LockedField[] {
  return fields.filter(
    (field) => field.path.length === path.length + 1 && path.every((name, i) => name === field.path[i]),
  )
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  int32: 'int',
  int64: 'long',
  timestamp: 'timestamptz',
  local_timestamp: 'timestamp',
}

function primitiveOf(type: string): string {
  return PRIMITIVES[type] ?? type.replace(',', ', ')
}

/** Whether two structs are the same but for their schema's id. */
export function sameStruct(a: StructType, b: StructType): boolean {
  return JSON.stringify(normal(a)) === JSON.stringify(normal(b))
}

/** In one order of keys, and with decimals written one way. */
function normal(type: IcebergType): unknown {
  if (typeof type === 'string') return type.replaceAll(' ', '')
  if (type.type === 'list') return [type['element-id'], type['element-required'], normal(type.element)]
  if (type.type === 'map')
    return [type['key-id'], normal(type.key), type['value-id'], type['value-required'], normal(type.value)]
  return type.fields.map((field) => [field.id, field.name, field.required, normal(field.type)])
}

/** Every field of a struct by its id, those of lists, maps and structs among them. */
export function fieldsById(struct: StructType): Map<number, NestedField> {
  return new Map(struct.fields.flatMap(withNested).map((field) => [field.id, field]))
}

function withNested(field: NestedField): NestedField[] {
  return [field, ...nestedFields(field.type).flatMap(withNested)]
}

function nestedFields(type: IcebergType): readonly NestedField[] {
  if (typeof type === 'string') return []
  switch (type.type) {
    case 'struct':
      return type.fields
    case 'list':
      return [{ id: type['element-id'], name: 'element', required: type['element-required'], type: type.element }]
    case 'map':
      return [
        { id: type['key-id'], name: 'key', required: true, type: type.key },
        { id: type['value-id'], name: 'value', required: type['value-required'], type: type.value },
      ]
  }
}

/** Which field of a table a name in a file stands for. */
export interface FieldMapping {
  readonly 'field-id': number
  readonly names: readonly string[]
  readonly fields?: readonly FieldMapping[]
}

/**
 * The table property `schema.name-mapping.default`: how files that carry no field ids are read (specification, "Column
 * Projection"), as those that were written before the table had a lock. A renamed field has the names that it had before, too;
 * and those that are gone stay in it, for there are readers that refuse files with names they cannot find.
 */
export function nameMapping({ columns, retired }: Pick<TableLock, 'columns' | 'retired'>): string {
  const aliases = new Map([...columns, ...retired].map((field) => [field.id, field.aliases ?? []]))
  return JSON.stringify(mappingsOf(structOf({ columns }).fields, aliases, retired))
}

type Retired = Pick<TableLock['retired'][number], 'id' | 'path'>

/**
 * @param aliases what fields were called before, by their ids
 * @param retired what is gone, by its path from here
 */
export function mappingsOf(
  fields: readonly NestedField[],
  aliases: ReadonlyMap<number, readonly string[]> = new Map(),
  retired: readonly Retired[] = [],
): readonly FieldMapping[] {
  // A name is mapped once: that of a field of today is its own.
  const taken = new Set(fields.map(({ name }) => name))
  const mapped = (id: number, names: readonly string[], nested: readonly NestedField[]): FieldMapping => {
    const within = retired.flatMap(({ id: of, path: [name = '', ...path] }) =>
      path.length > 0 && names.includes(name) ? [{ id: of, path }] : [],
    )
    const parts = mappingsOf(nested, aliases, within)
    return { 'field-id': id, names, ...(parts.length === 0 ? {} : { fields: parts }) }
  }
  const namesOf = (id: number, name: string): string[] => {
    const before = (aliases.get(id) ?? []).filter((alias) => !taken.has(alias))
    for (const each of [name, ...before]) taken.add(each)
    return [name, ...before]
  }
  const current = fields.map(({ id, name, type }) => mapped(id, namesOf(id, name), nestedFields(type)))
  const gone = retired.flatMap(({ id, path: [name = '', ...path] }) => {
    return path.length > 0 || taken.has(name) ? [] : mapped(id, namesOf(id, name), [])
  })
  return [...current, ...gone]
}
