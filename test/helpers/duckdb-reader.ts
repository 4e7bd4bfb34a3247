import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  type DuckDBBlobValue,
  type DuckDBDateValue,
  type DuckDBDecimalValue,
  DuckDBInstance,
  type DuckDBListValue,
  type DuckDBMapValue,
  type DuckDBStructValue,
  type DuckDBTimestampValue,
  type DuckDBUUIDValue,
} from '@duckdb/node-api'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { type Form, hex, type Stored, type StoredRow, storedRows } from './stored.ts'
import { inTemporaryDirectory } from './temporary-directory.ts'

/** A file as DuckDB sees it. */
export interface DuckDBTable {
  /** The type of each column, as DuckDB writes it. */
  readonly types: Readonly<Record<string, string>>
  readonly rows: readonly StoredRow[]
}

/** Every value of a Parquet file exactly as it is stored, read by DuckDB. */
export function readWithDuckDB(bytes: Uint8Array, columns: readonly Column[]): Promise<DuckDBTable> {
  return queryWithDuckDB(bytes, (file) => `SELECT * FROM read_parquet('${file}')`, columns)
}

/** Every value of a file of JSON Lines, which DuckDB is told the types of; bytes are text to it, for it knows no base64. */
export function readLinesWithDuckDB(
  bytes: Uint8Array,
  ending: 'jsonl.gz' | 'jsonl.zst',
  columns: readonly Column[],
): Promise<DuckDBTable> {
  const types = columns.map(({ name, type }) => `${quoted(name)}: ${text(duckDBType(type, JSON_TYPES))}`)
  const compression = ending === 'jsonl.gz' ? 'gzip' : 'zstd'
  const options = `format='newline_delimited', compression='${compression}', columns={${types.join(', ')}}`
  return query(bytes, ending, (file) => `SELECT * FROM read_json('${file}', ${options})`, columns)
}

/** Every value of the answer to SQL over one Parquet file, as these columns would store it. */
export function queryWithDuckDB(
  bytes: Uint8Array,
  sql: (file: string) => string,
  columns: readonly Column[],
): Promise<DuckDBTable> {
  return query(bytes, 'parquet', sql, columns)
}

/** The answer to SQL over one Parquet file, as DuckDB's JSON. */
export async function askParquet(bytes: Uint8Array, sql: (file: string) => string): Promise<Row[]> {
  return run(bytes, 'parquet', async (file, connection) =>
    (await connection.runAndReadAll(sql(file))).getRowObjectsJson(),
  )
}

type Connection = Awaited<ReturnType<DuckDBInstance['connect']>>

function query(
  bytes: Uint8Array,
  ending: string,
  sql: (file: string) => string,
  columns: readonly Column[],
): Promise<DuckDBTable> {
  return run(bytes, ending, async (file, connection) => {
    const result = await connection.runAndReadAll(sql(file))
    const names = result.columnNames()
    const types = Object.fromEntries(result.columnTypes().map((type, i) => [names[i] ?? '', String(type)]))
    const rows = result.getRows().map((values) => Object.fromEntries(values.map((value, i) => [names[i] ?? '', value])))
    return { types, rows: storedRows(rows, columns, DUCKDB_FORM) }
  })
}

function run<T>(
  bytes: Uint8Array,
  ending: string,
  work: (file: string, connection: Connection) => Promise<T>,
): Promise<T> {
  return inTemporaryDirectory(async (directory) => {
    const file = path.join(directory, `file.${ending}`)
    await writeFile(file, bytes)
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    try {
      const connection = await instance.connect()
      try {
        return await work(file, connection)
      } finally {
        connection.closeSync()
      }
    } finally {
      instance.closeSync()
    }
  })
}

/** How DuckDB's client shows values. */
export const DUCKDB_FORM: Form = {
  items: (list) => (list as DuckDBListValue).items,
  entries: (map) => (map as DuckDBMapValue).entries.map(({ key, value }) => [key as string, value]),
  field: (struct, name) => (struct as DuckDBStructValue).entries[name],
  scalar: scalarOf,
}

function scalarOf(value: unknown, type: ColumnType): Stored {
  switch (type.kind) {
    case 'decimal':
      return (value as DuckDBDecimalValue).value
    case 'date':
      return (value as DuckDBDateValue).days
    case 'timestamp': {
      const { micros } = value as DuckDBTimestampValue
      return type.unit === 'us' ? micros : micros / 1000n
    }
    case 'uuid':
      return (value as DuckDBUUIDValue).toString().replaceAll('-', '')
    case 'binary':
      if (typeof value === 'string') return Buffer.from(value, 'base64').toString('hex')
      return hex((value as DuckDBBlobValue).bytes)
    default:
      return value as Stored
  }
}

const TYPES = {
  string: 'VARCHAR',
  binary: 'BLOB',
  boolean: 'BOOLEAN',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  uuid: 'UUID',
  date: 'DATE',
} as const
const JSON_TYPES = { ...TYPES, binary: 'VARCHAR' } as const

/** A column's type as DuckDB writes it. */
export function duckDBType(type: ColumnType, types: Readonly<Record<string, string>> = TYPES): string {
  switch (type.kind) {
    case 'timestamp':
      return type.utc ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP'
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'list':
      return `${duckDBType(type.element.type, types)}[]`
    case 'map':
      return `MAP(VARCHAR, ${duckDBType(type.value.type, types)})`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoted(field.name)} ${duckDBType(field.type, types)}`).join(', ')})`
    default:
      return types[type.kind] ?? ''
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
