import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { type Answer, type ColumnsOf, type FileTable, QueryError, withLakeDatabase } from './lake-database.ts'
import { requireLake } from './missing-lake.ts'
import { namesTable } from './sql-text.ts'

export type { Answer } from './lake-database.ts'

/**
 * Answers SQL over a lake's tables, each a view of the files that the commit log names. The query can read nothing but
 * the lake, and write nothing; of a lake in S3 it downloads the files of the tables that it names.
 * @param columnsOf what pipelines say of a table's columns, for files that do not say it themselves
 * @throws QueryError with DuckDB's reason; InletError LOG_CORRUPT when there is no commit log
 */
export async function answerSql(sql: string, store: ObjectStore, columnsOf?: ColumnsOf): Promise<Answer> {
  const committed = await committedFiles(store)
  if (committed.size === 0) await requireLake(store)
  const tables = tablesOf(
    sql,
    [...committed].map(([name, files]) => ({ name, files })),
  )
  try {
    return await withLakeDatabase(store, tables, ({ query }) => query(sql), columnsOf)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    const known = [...committed.keys()].sort().join(', ') || 'none yet'
    throw new QueryError(`${error.message}\nThe lake's tables: ${known}`, { cause: error })
  }
}

/** The tables that SQL names. When it names none (`SHOW TABLES`) all of them, to be described and not to be read. */
function tablesOf(sql: string, tables: readonly FileTable[]): readonly FileTable[] {
  const named = tables.filter(({ name }) => namesTable(sql, name))
  if (named.length > 0) return named
  return tables.map(({ name, files }) => {
    return { name, files: files.slice(0, 1), unreadable: `the query must name the table ${name} to read it` }
  })
}
