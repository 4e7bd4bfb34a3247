import { globSync } from 'node:fs'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { DUCKDB_FORM, duckDBType } from './duckdb-reader.ts'
import { type Stored, type StoredRow, storedRows } from './stored.ts'

/** DuckDB with its extension for Iceberg, which comes from the Python package index and is loaded by its path. */
export interface IcebergDuckDB {
  /** The rows of a table, or of one of its snapshots, in the order of `_offset`. */
  rows(location: string, columns: readonly Column[], snapshot?: bigint): Promise<StoredRow[]>
  /** How many rows have a value, and how many files were read to find them. */
  count(location: string, column: Column, value: Stored): Promise<{ rows: number; files: number }>
  ask(sql: string): Promise<Row[]>
  close(): void
}

/** @param venv the directory of a virtual environment that has the packages `duckdb-extension-iceberg` and `-avro` */
export async function openIcebergDuckDB(venv: string): Promise<IcebergDuckDB> {
  const extensions = globSync(path.join(venv, 'lib/*/site-packages/duckdb_extension_*/extensions/*/*.duckdb_extension'))
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', autoinstall_known_extensions: 'false' })
  const connection = await instance.connect()
  // The one for Avro first, which the other needs.
  for (const file of extensions.toSorted()) await connection.run(`LOAD '${file}'`)
  const ask = async (sql: string): Promise<Row[]> => (await connection.runAndReadAll(sql)).getRowObjectsJson()
  return {
    ask,
    rows: async (location, columns, snapshot) => {
      const at = snapshot === undefined ? '' : `, snapshot_from_id => ${snapshot}`
      const names = columns.map(({ name }) => quoted(name)).join(', ')
      const result = await connection.runAndReadAll(
        `SELECT ${names} FROM iceberg_scan('${location}'${at}) ORDER BY _offset`,
      )
      const found = result.columnNames()
      const rows = result.getRows().map((row) => Object.fromEntries(row.map((value, i) => [found[i] ?? '', value])))
      return storedRows(rows, columns, DUCKDB_FORM)
    },
    count: async (location, { name, type }, value) => {
      const condition = value === null ? 'IS NULL' : `= ${literal(type, value)}`
      const sql = `SELECT count(*)::INT AS n FROM iceberg_scan('${location}') WHERE ${quoted(name)} ${condition}`
      const [counted] = await ask(sql)
      const [plan] = await ask(`EXPLAIN ANALYZE ${sql}`)
      const files = /Total Files Read: (?<files>\d+)/.exec(String(plan?.['explain_value']))?.groups?.['files']
      return { rows: Number(counted?.['n']), files: Number(files ?? 0) }
    },
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** A stored value in DuckDB's SQL. */
function literal(type: ColumnType, value: Stored): string {
  switch (type.kind) {
    case 'string':
      return text(String(value))
    case 'binary':
      return `${text(String(value).replaceAll(/../g, String.raw`\x$&`))}::BLOB`
    case 'date':
      return `(DATE '1970-01-01' + ${String(value)})`
    case 'timestamp':
      return `make_timestamp${type.utc ? 'tz' : ''}(${String(value)})`
    case 'decimal': {
      const unscaled = value as bigint
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(type.scale + 1, '0')
      const point = digits.length - type.scale
      return `'${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}'::${duckDBType(type)}`
    }
    default:
      return `'${String(value)}'::${duckDBType(type)}`
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
