import { fileURLToPath } from 'node:url'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'

/** SQL that DuckDB refuses. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}

export interface Answer {
  readonly columns: readonly string[]
  /** Values as JSON holds them: 64-bit integers, times and decimals are text. */
  readonly rows: readonly (readonly unknown[])[]
}

/**
 * Answers SQL over a lake's tables, each a view of the files that the commit log names. The query can read nothing but
 * the lake, and write nothing.
 * @throws QueryError with DuckDB's reason
 */
export async function answerSql(sql: string, store: ObjectStore): Promise<Answer> {
  const root = fileURLToPath(store.url)
  const tables = await committedFiles(store)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    for (const [table, files] of tables) {
      const paths = files.map((file) => literal(path.join(root, file.path)))
      await connection.run(
        `CREATE VIEW "${table}" AS SELECT * FROM read_parquet([${paths.join(', ')}], union_by_name = true, hive_partitioning = false)`,
      )
    }
    await connection.run(`SET allowed_directories = [${literal(`${root}${path.sep}`)}]`)
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
    const reader = await connection.runAndReadAll(sql)
    return { columns: reader.deduplicatedColumnNames(), rows: reader.getRowsJson() }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const known = [...tables.keys()].sort().join(', ')
    throw new QueryError(`${reason}\nThe lake's tables: ${known === '' ? 'none yet' : known}`, { cause: error })
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
