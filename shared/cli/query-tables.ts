import { committedFiles } from '#shared/lake/committed-files.ts'
import type { OpenCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { Snapshot, TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { tableFolders } from '#shared/lake/table-folders.ts'
import { tableOwners } from '#shared/lake/table-owners.ts'
import type { TableOwner } from '#shared/lake/table-marks.ts'
import type { FileTable } from './lake-database.ts'
import { snapshotContent } from './snapshot-files.ts'

/** A table that a query can name. */
export interface QueryTable {
  readonly name: string
  /** What the catalog has of it; null of a table that is only in the log. */
  readonly metadata: TableMetadata | null
  /** Whose log fills it, when that is known. */
  readonly owner: TableOwner | null
}

/** The tables that a lake has files or marks of. Whether the catalog has them is not asked yet: some may be none at all. */
export async function tableNames(store: ObjectStore): Promise<Map<string, TableOwner | null>> {
  const names = new Map<string, TableOwner | null>()
  for await (const name of tableFolders(store)) names.set(name, null)
  for await (const owner of tableOwners(store)) names.set(owner.table, owner)
  return names
}

/** What the catalog has of tables. */
export function loadTables(
  names: ReadonlyMap<string, TableOwner | null>,
  { catalog }: OpenCatalog,
): Promise<QueryTable[]> {
  return Promise.all(
    [...names].map(async ([name, owner]) => ({ name, owner, metadata: (await catalog.load(name))?.metadata ?? null })),
  )
}

/**
 * Tables with their files: those of the snapshot that is meant, else those that the log names. What neither catalog nor log
 * knows is no table.
 * @param snapshotOf which one is meant; undefined for a table that is only to be described
 * @throws InletError TABLE_UNREADABLE
 */
export async function fileTables(
  tables: readonly QueryTable[],
  store: ObjectStore,
  opened: OpenCatalog,
  snapshotOf: (table: QueryTable) => Snapshot | undefined,
): Promise<FileTable[]> {
  const isInLog = tables.some(({ metadata }) => metadata === null)
  const committed = isInLog ? await committedFiles(store) : new Map<string, FileTable['files']>()
  const found: FileTable[] = []
  for (const table of tables) {
    const { name, metadata } = table
    if (metadata !== null) {
      const content = await snapshotContent({ store, tables: opened, name, metadata }, snapshotOf(table))
      found.push({ name, files: [...content.data, ...content.deletes], snapshot: content })
      continue
    }
    const files = committed.get(name)
    if (files === undefined) continue
    snapshotOf(table)
    found.push({ name, files })
  }
  return found
}
