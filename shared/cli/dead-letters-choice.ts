import type { DeadLetterChoice } from '#shared/lake/dead-letters-land.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deadLetterFiles } from './dead-letter-files.ts'
import { type DeadLetterFilter, inDeadLetters } from './dead-letter-tables.ts'
import { UsageError } from './failure.ts'
import { FILE_COLUMN, QueryError } from './lake-database.ts'

/**
 * The open dead letters of a pipeline that an SQL condition holds for, over the columns of its dead-letter table.
 * @throws UsageError for a table without dead letters, or a condition that DuckDB refuses, with its reason
 */
export async function chosenBySql(
  store: ObjectStore,
  { name, generation }: Pipeline,
  filter: DeadLetterFilter,
  condition: string,
): Promise<DeadLetterChoice> {
  const files = await deadLetterFiles(store, (id) => id.pipeline === name && id.generation === generation)
  const chosen = new Map<string, Set<number>>()
  await inDeadLetters(store, files, filter, async ({ query, keyOf }, tables) => {
    for (const { rows } of tables) {
      // On lines of its own: it may end in a comment.
      const sql = `SELECT ${FILE_COLUMN}, _offset::DOUBLE FROM (${rows}) WHERE (\n${condition}\n)`
      const answer = await query(sql).catch(refuse)
      for (const [path, offset] of answer.rows as readonly (readonly [string, number])[]) {
        const file = keyOf(path)
        const offsets = chosen.get(file)
        if (offsets === undefined) chosen.set(file, new Set([offset]))
        else offsets.add(offset)
      }
    }
  })
  return ({ record }, file) => chosen.get(file.path)?.has(record.offset) === true
}

function refuse(error: unknown): never {
  if (error instanceof QueryError) throw new UsageError(`--where: ${error.message}`)
  throw error
}
