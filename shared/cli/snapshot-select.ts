import type { LocalFiles } from './data-files.ts'
import { projection } from './field-projection.ts'
import { fileGroups } from './file-fields.ts'
import type { LakeDatabase } from './lake-database.ts'
import { notDeleted, POSITION_COLUMN } from './position-deletes.ts'
import type { SnapshotContent } from './snapshot-files.ts'
import { literal } from './sql-text.ts'

/**
 * SQL for the rows of a snapshot: its files, and no others, in the columns of its schema, without the rows that were deleted.
 * @param fileColumn name of a column that says where the row's file is; undefined for none
 * @param describedOnly one empty row in place of all
 */
export async function snapshotSelect(
  { schema, mapping, data, deletes }: SnapshotContent,
  local: LocalFiles,
  query: LakeDatabase['query'],
  { fileColumn, describedOnly }: { readonly fileColumn: string | undefined; readonly describedOnly: boolean },
): Promise<string> {
  const empty = `SELECT ${projection(schema, [])}${fileColumn === undefined ? '' : `, NULL::VARCHAR AS ${fileColumn}`}`
  if (describedOnly) return empty
  if (data.length === 0) return `${empty} WHERE false`
  const paths = data.map(({ path }) => local.pathOf(path))
  const groups = await fileGroups(paths, mapping, query)
  const hasDeletes = deletes.length > 0
  const place = fileColumn ?? 'file_place'
  const selects = groups.map(({ files, fields }) => {
    const options = [
      'hive_partitioning = false',
      ...(fileColumn !== undefined || hasDeletes ? [`filename = ${literal(place)}`] : []),
      ...(hasDeletes ? [`${POSITION_COLUMN} = true`] : []),
    ]
    const rows = `FROM read_parquet([${files.map(literal).join(', ')}], ${options.join(', ')})`
    const columns = `${projection(schema, fields)}${fileColumn === undefined ? '' : `, ${fileColumn}`}`
    return `SELECT ${columns} ${rows}${hasDeletes ? ` WHERE ${notDeleted(place, POSITION_COLUMN)}` : ''}`
  })
  return selects.join(' UNION ALL ')
}
