import type { LocalFiles } from './data-files.ts'
import type { LakeDatabase } from './lake-database.ts'
import type { SnapshotContent } from './snapshot-files.ts'
import { literal } from './sql-text.ts'

/** What DuckDB calls the number of a row within its file, from 0. */
export const POSITION_COLUMN = 'file_row_number'

/** In a schema of its own, so that it is none of the lake's tables. */
const DELETED = 'inlet.deleted'

/**
 * Makes what `notDeleted` looks into, of the position deletes of snapshots (specification, "Position Delete Files"): each is of
 * rows of one file that is not younger.
 */
export async function addPositionDeletes(
  contents: readonly SnapshotContent[],
  local: LocalFiles,
  query: LakeDatabase['query'],
): Promise<void> {
  await query(`CREATE TABLE ${DELETED} (file VARCHAR, position BIGINT)`)
  for (const content of contents) if (content.deletes.length > 0) await addDeletesOf(content, local, query)
}

/** SQL for whether a row is still there. @param file SQL for the place of its file @param position SQL for its number */
export function notDeleted(file: string, position: string): string {
  return `NOT EXISTS (FROM ${DELETED} AS deleted WHERE deleted.file = ${file} AND deleted.position = ${position})`
}

async function addDeletesOf(
  { data, deletes, pathOf }: SnapshotContent,
  local: LocalFiles,
  query: LakeDatabase['query'],
): Promise<void> {
  const files = deletes.map(({ path }) => literal(local.pathOf(path))).join(', ')
  const named = `read_parquet([${files}], union_by_name = true, filename = 'delete_file')`
  const ages = new Map(deletes.map(({ path, sequenceNumber }) => [local.pathOf(path), sequenceNumber]))
  const live = new Map(data.map((file) => [file.path, file]))
  const { rows } = await query(`SELECT DISTINCT delete_file, file_path FROM ${named}`)
  const targets = (rows as readonly (readonly [string, string])[]).flatMap(([deleteFile, location]) => {
    // Files that are gone since are still named.
    const file = live.get(pathOf(location))
    if (file === undefined || file.sequenceNumber > (ages.get(deleteFile) ?? 0)) return []
    return [`(${[deleteFile, location, local.pathOf(file.path)].map(literal).join(', ')})`]
  })
  if (targets.length === 0) return
  await query(
    `INSERT INTO ${DELETED} SELECT target.file, pos FROM ${named} AS rows
      JOIN (VALUES ${targets.join(', ')}) AS target (delete_file, file_path, file) USING (delete_file, file_path)`,
  )
}
