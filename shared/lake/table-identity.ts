import { InletError } from '#shared/pipeline/errors.ts'
import type { TableMetadata } from './iceberg/table-metadata.ts'
import type { ObjectStore } from './object-store.ts'
import { placeInTableBucket } from './table-bucket.ts'
import { marksPrefix, type TableOwner } from './table-owner.ts'

/** What tells a table from others, and where it lies. */
export type TableIdentity = Pick<TableMetadata, 'table-uuid' | 'location'>

/** What the log keeps of the table that it fills. */
export interface NotedTable {
  readonly tableId: string
  /** URI of the table, when it has a bucket of its own: its data files belong there. */
  readonly location?: string
}

/**
 * Notes which table it is that a log fills: written once, so that one of the same name that was made since is not filled from
 * where the other had got to, nor from the beginning without anybody knowing.
 */
export async function noteTable(
  store: ObjectStore,
  owner: TableOwner,
  table: TableIdentity,
  { replace = false }: { readonly replace?: boolean } = {},
): Promise<void> {
  const body = Buffer.from(`${JSON.stringify({ format: 1, ...noteOf(table) })}\n`)
  if (replace) await store.put(noteKey(owner), body)
  else await store.putIfAbsent(noteKey(owner), body)
}

function noteOf({ 'table-uuid': tableId, location }: TableIdentity): NotedTable {
  return placeInTableBucket(location) === undefined ? { tableId } : { tableId, location }
}

/** The table that the log fills; undefined when none was noted. */
export async function notedTable(store: ObjectStore, owner: TableOwner): Promise<NotedTable | undefined> {
  const body = await store.get(noteKey(owner))
  return body === undefined ? undefined : (JSON.parse(Buffer.from(body).toString()) as NotedTable)
}

/**
 * @param noted the log's table. Where the catalog may have none, ask before the catalog: a table is there before it is noted
 * @param there the table that the catalog has; undefined when it has none
 * @throws InletError TABLE_DIVERGED when it is another than the log's
 */
export async function requireSameTable(
  store: ObjectStore,
  owner: TableOwner,
  noted: NotedTable | undefined,
  there: TableIdentity | undefined,
): Promise<void> {
  if (noted?.tableId === there?.['table-uuid']) {
    // Noted before it was of interest where a table lies.
    const isOutdated = there !== undefined && noted?.location !== noteOf(there).location
    return isOutdated ? noteTable(store, owner, there, { replace: true }) : undefined
  }
  // Made by a process that died before it could note it.
  if (noted === undefined) return noteTable(store, owner, there as TableIdentity)
  const { table, pipeline } = owner
  throw new InletError(
    'TABLE_DIVERGED',
    `the log of ${pipeline} has filled the table ${table} with the id ${noted.tableId}, ` +
      (there === undefined
        ? `which the catalog does not have any more: restore it there, or make another with "inlet table apply ${pipeline} --anew", which is filled from the beginning of the log`
        : `and the catalog has another, ${there['table-uuid']}. If that one is empty, "inlet table adopt ${pipeline}" fills it from the beginning of the log`),
  )
}

/** Whether the log has filled a table of a catalog. */
export async function hasNotedTable(store: ObjectStore, owner: TableOwner): Promise<boolean> {
  return (await store.size(noteKey(owner))) !== undefined
}

function noteKey(owner: TableOwner): string {
  return `${marksPrefix(owner)}table.json`
}
