import { AUDIT_COLUMNS, type Column, type ColumnType, RECORD_COLUMNS } from '#shared/pipeline/columns.ts'
import { duckdbType } from './column-types.ts'
import type { LakeDatabase } from './lake-database.ts'
import { literal, quoted } from './sql-text.ts'

/** Files of JSON Lines with the same compression. */
export interface JsonLinesSource {
  readonly paths: readonly string[]
  readonly compression: 'gzip' | 'zstd'
  readonly fileColumn: string | undefined
}

/** How a column is read from JSON, and what makes the value of it. */
interface JsonColumn {
  readonly read: string
  readonly value: (name: string) => string
}

/**
 * SQL that reads JSON Lines with the types that the table's Parquet files would have: those of the pipeline's columns, else
 * those of its Parquet files; only for the rest is it up to DuckDB to guess.
 * @param columns what is known of the table's columns
 * @param parquet SQL that reads the table's Parquet files, if there are any
 */
export async function jsonLinesSelect(
  { paths, compression, fileColumn }: JsonLinesSource,
  columns: readonly Column[],
  parquet: string | undefined,
  query: LakeDatabase['query'],
): Promise<string> {
  const files = `[${paths.map(literal).join(', ')}], format = 'newline_delimited', compression = '${compression}'`
  const known = new Map(parquet === undefined ? [] : await columnsOfParquet(parquet, query))
  for (const { name, type } of [...AUDIT_COLUMNS, ...Object.values(RECORD_COLUMNS), ...columns])
    known.set(name, { read: duckdbType(asText(type)), value: (sql) => decoded(type, sql, 0) })

  // Files of other versions of the pipeline may have other columns: every file is asked, and every line for the types.
  const detected = await query(`DESCRIBE SELECT * FROM read_json(${files}, union_by_name = true, sample_size = -1)`)
  const read: string[] = []
  const values: string[] = []
  for (const [name, type] of detected.rows as readonly (readonly [string, string])[]) {
    const column = known.get(name) ?? { read: type, value: (sql: string) => sql }
    read.push(`${literal(name)}: ${literal(column.read)}`)
    values.push(`${column.value(quoted(name))} AS ${quoted(name)}`)
  }
  if (fileColumn !== undefined) values.push(fileColumn)
  const file = fileColumn === undefined ? '' : `, filename = ${literal(fileColumn)}`
  return `SELECT ${values.join(', ')} FROM read_json(${files}, columns = {${read.join(', ')}}${file})`
}

async function columnsOfParquet(parquet: string, query: LakeDatabase['query']): Promise<[string, JsonColumn][]> {
  const { rows } = await query(`DESCRIBE ${parquet}`)
  return (rows as readonly (readonly [string, string])[]).flatMap(([name, type]): [string, JsonColumn][] => {
    if (type === 'BLOB') return [[name, { read: 'VARCHAR', value: (sql) => `from_base64(${sql})` }]]
    return type.includes('BLOB') ? [] : [[name, { read: type, value: (sql) => sql }]]
  })
}

/** The same type with text where there are bytes: JSON has base64 for them. */
function asText(type: ColumnType): ColumnType {
  const within = (column: Column): Column => ({ ...column, type: asText(column.type) })
  switch (type.kind) {
    case 'binary':
      return { kind: 'string' }
    case 'list':
      return { kind: 'list', element: within(type.element) }
    case 'map':
      return { kind: 'map', value: within(type.value) }
    case 'struct':
      return { kind: 'struct', fields: type.fields.map(within) }
    default:
      return type
  }
}

/** SQL for the value of a column that was read as text where it has bytes. */
function decoded(type: ColumnType, sql: string, depth: number): string {
  if (duckdbType(type) === duckdbType(asText(type))) return sql
  const item = `item${depth}`
  switch (type.kind) {
    case 'list':
      return `list_transform(${sql}, lambda ${item}: ${decoded(type.element.type, item, depth + 1)})`
    case 'map': {
      const value = decoded(type.value.type, `${item}.value`, depth + 1)
      return `map_from_entries(list_transform(map_entries(${sql}), lambda ${item}: {'key': ${item}.key, 'value': ${value}}))`
    }
    case 'struct': {
      const fields = type.fields.map((field) => {
        const name = quoted(field.name)
        return `${name} := ${decoded(field.type, `${sql}.${name}`, depth + 1)}`
      })
      return `CASE WHEN ${sql} IS NOT NULL THEN struct_pack(${fields.join(', ')}) END`
    }
    default:
      return `from_base64(${sql})`
  }
}
