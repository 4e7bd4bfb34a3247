import path from 'node:path'
import { type DuckDBConnection, DuckDBInstance, DuckDBTimestampTZValue } from '@duckdb/node-api'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import { type LocalFiles, missingFile, type StoredFile, withLocalFiles } from './data-files.ts'
import type { OffsetVerdict } from './dead-letter-verdicts.ts'
import { jsonLinesSelect } from './json-lines-select.ts'
import { addPositionDeletes } from './position-deletes.ts'
import { addResolvedRanges, addVerdicts, type ResolvedRange, resolvedSql } from './resolved-column.ts'
import type { SnapshotContent } from './snapshot-files.ts'
import { snapshotSelect } from './snapshot-select.ts'
import { literal, quoted } from './sql-text.ts'

/** SQL that DuckDB refuses. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}

export interface Answer {
  readonly columns: readonly string[]
  /** Values as JSON holds them: 64-bit integers, times and decimals are text. */
  readonly rows: readonly (readonly unknown[])[]
}

/** Data files to be read as a table. */
export interface FileTable {
  readonly name: string
  readonly files: readonly StoredFile[]
  /** When the files are those of a snapshot: what to make of them. */
  readonly snapshot?: SnapshotContent
  /** Adds the column `_file`: the place of each row's file (see `keyOf`). */
  readonly withFile?: boolean
  /** Of a table of dead letters: those that are resolved. Adds the column `_resolved`. */
  readonly resolved?: readonly ResolvedRange[]
  /** Of a table of dead letters: its files that the log does not name, and what is known of the records in them. */
  readonly rewritten?: { readonly files: readonly StoredFile[]; readonly verdicts: readonly OffsetVerdict[] }
  /** Why the table can be described but not read. */
  readonly unreadable?: string
}

/** What pipelines say of a table's columns: files of JSON Lines do not say it themselves. */
export type ColumnsOf = (table: string) => Promise<readonly Column[] | undefined>

/** An in-memory DuckDB whose tables are views of data files. It can read nothing else, and write nothing. */
export interface LakeDatabase {
  /** @throws QueryError with DuckDB's reason */
  readonly query: (sql: string) => Promise<Answer>
  /** The lake's key of a data file: undoes `_file`. */
  readonly keyOf: LocalFiles['keyOf']
  /** What `_file` holds for a data file. */
  readonly pathOf: LocalFiles['pathOf']
}

/** The column that `withFile` adds; names with an underscore are never a contract's. */
export const FILE_COLUMN = '_file'

/** Works with data files as tables of SQL. Times are shown in UTC, as the lake's partitions are. */
export function withLakeDatabase<T>(
  store: ObjectStore,
  tables: readonly FileTable[],
  work: (database: LakeDatabase) => Promise<T>,
  columnsOf: ColumnsOf = async () => undefined,
): Promise<T> {
  const files = tables.flatMap((table) => table.files)
  return withLocalFiles(store, files, async (local) => {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const query = (sql: string): Promise<Answer> => ask(connection, sql, local)
    try {
      await query("SET TimeZone = 'UTC'")
      // The library shows instants by the clock of this machine, whatever the engine is told.
      DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0
      const resolved = tables.flatMap((table) => table.resolved ?? [])
      await connection.run('CREATE SCHEMA inlet')
      await addResolvedRanges(connection, resolved, local.pathOf)
      const rewritten = tables.flatMap((table) => table.rewritten ?? [])
      const places = rewritten.flatMap((table) => table.files.map(({ path: key }) => local.pathOf(key)))
      const verdicts = rewritten.flatMap((table) => table.verdicts)
      await addVerdicts(connection, verdicts, places)
      const snapshots = tables.flatMap(({ snapshot }) => snapshot ?? [])
      await addPositionDeletes(snapshots, local, query)
      for (const table of tables) await query(await viewOf(table, local, query, columnsOf))
      await query(`SET allowed_directories = [${literal(`${local.folder}${path.sep}`)}]`)
      await query('SET enable_external_access = false')
      await query('SET lock_configuration = true')
      return await work({ query, keyOf: local.keyOf, pathOf: local.pathOf })
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  })
}

async function ask(connection: DuckDBConnection, sql: string, local: LocalFiles): Promise<Answer> {
  try {
    const reader = await connection.runAndReadAll(sql)
    return { columns: reader.deduplicatedColumnNames(), rows: reader.getRowsJson() }
  } catch (error) {
    const reason = (error as Error).message
    const missing = /No files found that match the pattern "(?<file>[^"]+)"/.exec(reason)?.groups?.['file']
    // A file of the query's own choice is not one of the lake's.
    if (missing !== undefined && local.keyOf(missing) !== missing) throw missingFile(local.keyOf(missing))
    throw new QueryError(reason, { cause: error })
  }
}

async function viewOf(
  table: FileTable,
  local: LocalFiles,
  query: LakeDatabase['query'],
  columnsOf: ColumnsOf,
): Promise<string> {
  const { name, snapshot, resolved, unreadable } = table
  const withFile = table.withFile === true
  const fileColumn = withFile || resolved !== undefined ? FILE_COLUMN : undefined
  let select =
    snapshot === undefined
      ? await logSelect(table, fileColumn, local, query, columnsOf)
      : await snapshotSelect(snapshot, local, query, { fileColumn, describedOnly: unreadable !== undefined })
  if (resolved !== undefined)
    select = `SELECT *${withFile ? '' : ` EXCLUDE (${FILE_COLUMN})`}, ${resolvedSql(name, FILE_COLUMN, table.rewritten !== undefined)} FROM (${select})`
  if (unreadable !== undefined) select = `SELECT * FROM (${select}) WHERE error(${literal(unreadable)})`
  return `CREATE VIEW ${quoted(name)} AS ${select}`
}

/** SQL for the rows of files that the log names, whose columns they say themselves. */
async function logSelect(
  table: FileTable,
  fileColumn: string | undefined,
  local: LocalFiles,
  query: LakeDatabase['query'],
  columnsOf: ColumnsOf,
): Promise<string> {
  const paths = (ending: string): readonly string[] =>
    table.files.flatMap((file) => (file.path.endsWith(ending) ? [local.pathOf(file.path)] : []))
  const selects: string[] = []
  const parquet = paths('.parquet')
  if (parquet.length > 0) selects.push(parquetSelect(parquet, fileColumn))
  const [parquetOfTable] = selects
  for (const [ending, compression] of [
    ['.jsonl.gz', 'gzip'],
    ['.jsonl.zst', 'zstd'],
  ] as const) {
    const source = { paths: paths(ending), compression, fileColumn }
    if (source.paths.length === 0) continue
    selects.push(await jsonLinesSelect(source, (await columnsOf(table.name)) ?? [], parquetOfTable, query))
  }
  return selects.join(' UNION ALL BY NAME ')
}

function parquetSelect(paths: readonly string[], fileColumn: string | undefined): string {
  const file = fileColumn === undefined ? '' : `, filename = ${literal(fileColumn)}`
  return `SELECT * FROM read_parquet([${paths.map(literal).join(', ')}], union_by_name = true, hive_partitioning = false${file})`
}
