import type { ObjectStore } from '#shared/lake/object-store.ts'
import { deadLetterTableName } from '#shared/pipeline/dead-letter-name.ts'
import type { DeadLetterFiles } from './dead-letter-files.ts'
import { UsageError } from './failure.ts'
import { type LakeDatabase, withLakeDatabase } from './lake-database.ts'
import { requireLake } from './missing-lake.ts'
import { RESOLVED_COLUMN } from './resolved-column.ts'
import { literal, quoted } from './sql-text.ts'

/** Which dead letters are meant; each one that is left out means any. */
export interface DeadLetterFilter {
  /** The dead-letter table, or the table that it belongs to. */
  readonly table?: string | undefined
  readonly code?: string | undefined
  readonly field?: string | undefined
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly offset?: number | undefined
  /** Those too that are resolved. */
  readonly all?: boolean | undefined
}

/** A dead-letter table, and SQL for those of its rows that are meant. */
export interface FilteredTable {
  readonly name: string
  readonly rows: string
}

/**
 * Works with dead letters as tables of SQL, which have `_file` and `_resolved`.
 * @throws InletError LOG_CORRUPT when there is no lake; UsageError for a table without dead letters
 */
export async function inDeadLetters<T>(
  store: ObjectStore,
  { tables, resolved }: DeadLetterFiles,
  filter: DeadLetterFilter,
  work: (database: LakeDatabase, tables: readonly FilteredTable[]) => Promise<T>,
): Promise<T> {
  if (tables.size === 0) await requireLake(store)
  const names = meantTables([...tables.keys()].sort(), filter.table)
  const views = names.map((name) => {
    const files = tables.get(name) ?? []
    const paths = new Set(files.map(({ path }) => path))
    return { name, files, withFile: true, resolved: resolved.filter(({ file }) => paths.has(file)) }
  })
  const where = conditionOf(filter)
  const filtered = names.map((name) => ({ name, rows: `FROM ${quoted(name)} WHERE ${where}` }))
  return withLakeDatabase(store, views, (database) => work(database, filtered))
}

/** @throws UsageError when a table is named that has no dead letters */
function meantTables(names: readonly string[], table: string | undefined): readonly string[] {
  if (table === undefined) return names
  const name = deadLetterTableName(table)
  if (names.includes(name)) return [name]
  const known = names.length === 0 ? 'no table has any' : `those are in ${names.join(', ')}`
  throw new UsageError(`there are no dead letters in ${name}; ${known}`)
}

function conditionOf(filter: DeadLetterFilter): string {
  const conditions = [
    ...(filter.all === true ? [] : [`NOT ${RESOLVED_COLUMN}`]),
    ...(['code', 'field', 'topic'] as const).flatMap((column) => {
      const wanted = filter[column]
      return wanted === undefined ? [] : [`${column} = ${literal(wanted)}`]
    }),
    ...(filter.partition === undefined ? [] : [`_kafka_partition = ${filter.partition}`]),
    ...(filter.offset === undefined ? [] : [`_offset = ${filter.offset}`]),
  ]
  return conditions.length === 0 ? 'true' : conditions.join(' AND ')
}
