import { InletError } from '#shared/pipeline/errors.ts'
import type { ObjectStore } from './object-store.ts'
import { marksPrefix, type TableOwner } from './table-marks.ts'

/**
 * Notes which table it is that a log fills: written once, so that one of the same name that was made since is not filled from
 * where the other had got to, nor from the beginning without anybody knowing.
 */
export async function putTableId(
  store: ObjectStore,
  owner: TableOwner,
  uuid: string,
  { replace = false }: { readonly replace?: boolean } = {},
): Promise<void> {
  const body = Buffer.from(`${JSON.stringify({ format: 1, tableId: uuid })}\n`)
  if (replace) await store.put(idKey(owner), body)
  else await store.putIfAbsent(idKey(owner), body)
}

/**
 * @param uuid of the table that the catalog has; undefined when it has none
 * @throws InletError TABLE_DIVERGED when it is another than the log's
 */
export async function requireSameTable(store: ObjectStore, owner: TableOwner, uuid: string | undefined): Promise<void> {
  const body = await store.get(idKey(owner))
  if (body === undefined) {
    // Made by a process that died before it could note it.
    if (uuid !== undefined) await putTableId(store, owner, uuid)
    return
  }
  const { tableId } = JSON.parse(Buffer.from(body).toString()) as { tableId: string }
  if (tableId === uuid) return
  const { table, pipeline } = owner
  throw new InletError(
    'TABLE_DIVERGED',
    `the log of ${pipeline} has filled the table ${table} with the id ${tableId}, ` +
      (uuid === undefined
        ? `which the catalog does not have any more: restore it there, or make another with "inlet table apply ${pipeline} --anew", which is filled from the beginning of the log`
        : `and the catalog has another, ${uuid}. If that one is empty, "inlet table adopt ${pipeline}" fills it from the beginning of the log`),
  )
}

/** Whether the log has filled a table of a catalog. */
export async function hasTableId(store: ObjectStore, owner: TableOwner): Promise<boolean> {
  return (await store.size(idKey(owner))) !== undefined
}

function idKey(owner: TableOwner): string {
  return `${marksPrefix(owner)}table.json`
}
