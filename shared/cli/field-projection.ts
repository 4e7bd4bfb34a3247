import type { IcebergType, NestedField, StructType } from '#shared/lake/iceberg/schema.ts'
import type { FileField } from './file-fields.ts'
import { literal, quoted } from './sql-text.ts'

/**
 * SQL for the columns of a table, read from files with these fields. A field is found by its id, whatever the file calls it;
 * what a file lacks is null, and what it has narrower is widened (specification, "Column Projection").
 */
export function projection(schema: StructType, file: readonly FileField[]): string {
  const columns = schema.fields.map((field) => {
    const found = fieldWithId(file, field.id)
    return `${valueOf(found && quoted(found.name), found, field.type, 0)} AS ${quoted(field.name)}`
  })
  return columns.join(', ')
}

/**
 * @param sql what the file's field is read as; undefined when the file has no such field
 * @param depth of lists and maps around it
 */
function valueOf(sql: string | undefined, field: FileField | undefined, type: IcebergType, depth: number): string {
  const target = sqlType(type)
  if (sql === undefined || field === undefined) return `CAST(NULL AS ${target})`
  if (isAlike(field, type)) return sql
  if (typeof type === 'string' || field.type !== type.type) return `CAST(${sql} AS ${target})`
  return `CAST(CASE WHEN ${sql} IS NOT NULL THEN ${rebuilt(sql, field, type, depth)} END AS ${target})`
}

function rebuilt(sql: string, field: FileField, type: Exclude<IcebergType, string>, depth: number): string {
  const each = `e${depth}`
  switch (type.type) {
    case 'struct': {
      const members = type.fields.map((member) => {
        const found = fieldWithId(field.children, member.id)
        const value = found && `struct_extract(${sql}, ${literal(found.name)})`
        return `${quoted(member.name)} := ${valueOf(value, found, member.type, depth)}`
      })
      return `struct_pack(${members.join(', ')})`
    }
    case 'list': {
      const element = valueOf(each, field.children[0], type.element, depth + 1)
      return `list_transform(${sql}, lambda ${each}: ${element})`
    }
    case 'map': {
      const key = valueOf(`${each}.key`, field.children[0], type.key, depth + 1)
      const value = valueOf(`${each}.value`, field.children[1], type.value, depth + 1)
      const entry = `struct_pack(k := ${key}, v := ${value})`
      return `map_from_entries(list_transform(map_entries(${sql}), lambda ${each}: ${entry}))`
    }
  }
}

/** Whether a file has exactly this, so that it is read as it is: then DuckDB can skip what a query leaves out. */
function isAlike(field: FileField, type: IcebergType): boolean {
  if (typeof type === 'string') return typeof field.type === 'object' && field.type.primitive === sqlType(type)
  if (field.type !== type.type) return false
  const members = partsOf(type)
  return (
    field.children.length === members.length &&
    members.every(({ id, name, type: member }, i) => {
      const child = field.children[i]
      const isNamed = type.type !== 'struct' || (child?.name === name && child.id === id)
      return child !== undefined && isNamed && isAlike(child, member)
    })
  )
}

function partsOf(type: Exclude<IcebergType, string>): readonly Pick<NestedField, 'id' | 'name' | 'type'>[] {
  switch (type.type) {
    case 'struct':
      return type.fields
    case 'list':
      return [{ id: type['element-id'], name: 'element', type: type.element }]
    case 'map':
      return [
        { id: type['key-id'], name: 'key', type: type.key },
        { id: type['value-id'], name: 'value', type: type.value },
      ]
  }
}

function fieldWithId(fields: readonly FileField[], id: number): FileField | undefined {
  return fields.find((field) => field.id === id)
}

const SQL_TYPES: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  string: 'VARCHAR',
  uuid: 'UUID',
  binary: 'BLOB',
}

/** DuckDB's type, as DuckDB itself writes it. */
function sqlType(type: IcebergType): string {
  if (typeof type === 'string') {
    if (type.startsWith('decimal')) return type.replaceAll(' ', '').toUpperCase()
    return SQL_TYPES[type] ?? 'BLOB'
  }
  switch (type.type) {
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoted(field.name)} ${sqlType(field.type)}`).join(', ')})`
    case 'list':
      return `${sqlType(type.element)}[]`
    case 'map':
      return `MAP(${sqlType(type.key)}, ${sqlType(type.value)})`
  }
}
