import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { Snapshot } from '#shared/lake/iceberg/table-metadata.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { pendingEntries } from '#shared/lake/pending-entries.ts'
import { isDeadLetterTable } from '#shared/pipeline/dead-letter-name.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { deadLetterFiles } from './dead-letter-files.ts'
import { offsetVerdicts } from './dead-letter-verdicts.ts'
import { UsageError } from './failure.ts'
import { type Answer, type ColumnsOf, type FileTable, QueryError, withLakeDatabase } from './lake-database.ts'
import { requireLake } from './missing-lake.ts'
import { formatCount } from './progress.ts'
import { fileTables, loadTables, type QueryTable, tableNames } from './query-tables.ts'
import { snapshotAt } from './snapshot-choice.ts'
import { namesTable } from './sql-text.ts'

export type { Answer } from './lake-database.ts'

export interface SqlOptions {
  /** What pipelines say of a table's columns, for files of JSON Lines. */
  readonly columnsOf?: ColumnsOf
  /** The catalog of the lake's tables; a directory of the lake unless given. */
  readonly catalog?: string
  /** A time, or the id of a snapshot: the tables as they were then (see `snapshotAt`). */
  readonly at?: string | undefined
}

export interface SqlAnswer extends Answer {
  /** What is to be known of the answer, a line each: commits that a table has not taken yet. */
  readonly notes: readonly string[]
}

/**
 * Answers SQL over a lake's tables, each a view: of a table in the catalog its current snapshot, of any other the files that the
 * commit log names. The query can read nothing but the lake, and write nothing; of a lake in S3 it downloads the files of the
 * tables that it names.
 * @throws QueryError with DuckDB's reason; UsageError when a snapshot is asked for that there is not; InletError LOG_CORRUPT when
 * there is no commit log, TABLE_UNREADABLE
 */
export async function answerSql(
  sql: string,
  store: ObjectStore,
  { columnsOf, catalog = 'directory', at }: SqlOptions = {},
): Promise<SqlAnswer> {
  const opened = openCatalog(catalog, store)
  const names = await tableNames(store)
  if (names.size === 0) await requireLake(store)
  const named = new Map([...names].filter(([name]) => namesTable(sql, name)))
  const loaded = await loadTables(named.size === 0 ? names : named, opened)
  const tables =
    named.size === 0
      ? (await fileTables(loaded, store, opened, () => undefined)).map(describedOnly)
      : await withResolved(store, await fileTables(loaded, store, opened, (table) => snapshotOf(table, at)))
  try {
    const answer = await withLakeDatabase(store, tables, ({ query }) => query(sql), columnsOf)
    return { ...answer, notes: at === undefined && named.size > 0 ? await pendingNotes(loaded, store) : [] }
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    const all = await fileTables(await loadTables(names, opened), store, opened, () => undefined)
    const known = all.map(({ name }) => name).sort()
    throw new QueryError(`${error.message}\nThe lake's tables: ${known.join(', ') || 'none yet'}`, { cause: error })
  }
}

function snapshotOf({ name, metadata }: QueryTable, at: string | undefined): Snapshot | undefined {
  if (metadata !== null) return snapshotAt(name, metadata, at)
  if (at === undefined) return undefined
  throw new UsageError(`${name} has no snapshots to go back to: the catalog has no such table, only the log`)
}

/** What a table of a query that names none is good for (`SHOW TABLES`). */
function describedOnly({ name, files, ...table }: FileTable): FileTable {
  const unreadable = `the query must name the table ${name} to read it`
  const described = { ...table, name, files: table.snapshot === undefined ? files.slice(0, 1) : [], unreadable }
  return isDeadLetterTable(name) ? { ...described, resolved: [] } : described
}

/** Tables of dead letters say which of them are resolved: the log tells it, not the files. */
async function withResolved(store: ObjectStore, tables: readonly FileTable[]): Promise<readonly FileTable[]> {
  if (!tables.some(({ name }) => isDeadLetterTable(name))) return tables
  const known = await deadLetterFiles(store)
  const found: FileTable[] = []
  for (const table of tables) {
    const named = new Set(known.tables.get(table.name)?.map(({ path }) => path))
    const files = new Set(table.files.map(({ path }) => path))
    const resolved = known.resolved.filter(({ file }) => files.has(file))
    const rewritten = table.snapshot?.data.filter(({ path }) => !named.has(path)) ?? []
    if (!isDeadLetterTable(table.name)) found.push(table)
    else if (rewritten.length === 0) found.push({ ...table, resolved })
    else {
      const verdicts = await offsetVerdicts(store, new Set([table.name]))
      found.push({ ...table, resolved, rewritten: { files: rewritten, verdicts } })
    }
  }
  return found
}

/** What the tables of a query have not taken from the log, which they would show else. */
async function pendingNotes(tables: readonly QueryTable[], store: ObjectStore): Promise<string[]> {
  const notes: string[] = []
  for (const { metadata, owner, name } of tables) {
    if (metadata === null || owner === null) continue
    try {
      const pending = await pendingEntries(store, owner, metadata)
      if (pending > 0)
        notes.push(
          `${formatCount(pending)} ${pending === 1 ? 'commit is' : 'commits are'} not in the snapshot of ${name} yet; ` +
            `"inlet table commit ${owner.pipeline}" brings ${pending === 1 ? 'it' : 'them'} in`,
        )
    } catch (error) {
      // The answer is what the table holds, whatever is wrong between it and the log.
      if (!(error instanceof InletError)) throw error
      notes.push(error.message)
    }
  }
  return notes
}
