import pMap from 'p-map'
import type { OpenCatalog } from './iceberg/open-catalog.ts'
import { parseMetadata, type TableMetadata } from './iceberg/table-metadata.ts'
import type { ObjectEntry, ObjectStore } from './object-store.ts'
import { MARKS_PROPERTY, marksPrefix, type TableOwner } from './table-marks.ts'

/** By an attempt, which is a UUID: the table's identity lies beside the marks, and is for ever. */
const MARKS_NAME = /\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/
const WEEK_MS = 7 * 86_400_000
/** Versions of a table that are read at a time, and objects that are deleted. */
const CONCURRENCY = 8

export interface MarksVacuumOptions {
  readonly dryRun?: boolean
}

/**
 * Deletes the marks of a table that no version of it names which is kept: those of committers that lost a race or died, and of
 * versions that the table has forgotten. A committer writes marks before it names them; so they go only when the newest marks
 * are a week younger, by the store's clock: no commit takes that long.
 *
 * @returns the objects that were deleted, or would be, in a dry run; none for a table that the catalog does not have
 * @throws InletError TABLE_UNREADABLE when a version that is kept cannot be read
 */
export async function vacuumMarks(
  store: ObjectStore,
  tables: OpenCatalog,
  owner: TableOwner,
  { dryRun = false }: MarksVacuumOptions = {},
): Promise<ObjectEntry[]> {
  const marks: ObjectEntry[] = []
  // Listed first: what is written from now on is not looked at.
  for await (const object of store.list(marksPrefix(owner))) if (MARKS_NAME.test(object.key)) marks.push(object)
  const named = await namedMarks(tables, owner.table)
  if (named === undefined) return []
  const newest = marks.reduce((latest, { modified }) => Math.max(latest, modified), 0)
  const unnamed = marks.filter(({ key, modified }) => !named.has(key) && newest - modified > WEEK_MS)
  if (!dryRun) await pMap(unnamed, ({ key }) => store.delete(key), { concurrency: CONCURRENCY })
  return unnamed
}

/** The marks that the current version of a table names, each one before it that is kept, and each snapshot of these. */
async function namedMarks({ catalog, filesAt }: OpenCatalog, table: string): Promise<Set<string> | undefined> {
  const current = await catalog.load(table)
  if (current === undefined) return undefined
  const named = new Set<string>()
  const note = ({ properties, snapshots }: TableMetadata): void => {
    for (const place of [properties, ...snapshots.map(({ summary }) => summary)]) {
      const key = place[MARKS_PROPERTY]
      if (key !== undefined) named.add(key)
    }
  }
  note(current.metadata)
  const files = filesAt(current.metadata.location)
  const noteVersion = async (location: string): Promise<void> => {
    const body = await files.find(location)
    // Other engines delete versions that fall out of the log, some of them before.
    if (body !== undefined) note(parseMetadata(location, body))
  }
  const before = current.metadata['metadata-log'].map((entry) => entry['metadata-file'])
  await pMap(before, noteVersion, { concurrency: CONCURRENCY })
  return named
}
