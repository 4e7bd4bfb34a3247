import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { ancestry } from '#shared/lake/iceberg/snapshot.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import type { Snapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { pendingEntries } from '#shared/lake/pending-entries.ts'
import { MARKS_PROPERTY, type TableOwner } from '#shared/lake/table-marks.ts'
import { InletError } from '#shared/pipeline/errors.ts'

/** A snapshot of a table, as its summary tells it; null where it does not. */
export interface SnapshotEntry {
  /** In decimal. */
  readonly id: string
  /** ISO 8601. */
  readonly time: string
  readonly operation: string
  readonly addedRows: number | null
  readonly addedFiles: number | null
  readonly rows: number | null
  readonly files: number | null
  /** `inlet`, or the engine that made it. */
  readonly by: string
  /** `rolled back`: no longer in the history of the current one. */
  readonly state: 'current' | 'before' | 'rolled back'
}

export interface TableHistory {
  readonly table: string
  /** URI. */
  readonly location: string
  /** The newest first. */
  readonly snapshots: readonly SnapshotEntry[]
  /** Commits and amendments that the table has not taken; null when its marks do not fit it. */
  readonly pending: number | null
  /** Why they do not. */
  readonly fault: string | null
}

/** @throws InletError TABLE_MISSING */
export async function tableHistory(
  { store, tables }: Pick<CommitterSurroundings, 'store' | 'tables'>,
  owner: TableOwner,
): Promise<TableHistory> {
  const { metadata } = await requireTable(tables.catalog, owner)
  const past = [...ancestry(metadata)]
  const snapshots = metadata.snapshots.toReversed().map((snapshot): SnapshotEntry => {
    const place = past.indexOf(snapshot)
    return { ...entryOf(snapshot), state: place === 0 ? 'current' : place > 0 ? 'before' : 'rolled back' }
  })
  const known = { table: owner.table, location: metadata.location, snapshots }
  try {
    return { ...known, pending: await pendingEntries(store, owner, metadata), fault: null }
  } catch (error) {
    if (!(error instanceof InletError) || error.code !== 'TABLE_DIVERGED') throw error
    return { ...known, pending: null, fault: error.message }
  }
}

/** The current version of a table. @throws InletError TABLE_MISSING */
export async function requireTable(
  catalog: CommitterSurroundings['tables']['catalog'],
  { table, pipeline }: TableOwner,
): Promise<LoadedTable> {
  const loaded = await catalog.load(table)
  if (loaded !== undefined) return loaded
  throw new InletError(
    'TABLE_MISSING',
    `the catalog has no table ${table}: make it with "inlet table apply ${pipeline}", or name another --catalog`,
  )
}

function entryOf(snapshot: Snapshot): Omit<SnapshotEntry, 'state'> {
  const { summary } = snapshot
  const number = (name: string): number | null => (summary[name] === undefined ? null : Number(summary[name]))
  return {
    id: String(snapshot['snapshot-id']),
    time: new Date(snapshot['timestamp-ms']).toISOString(),
    operation: summary['operation'] ?? '',
    addedRows: number('added-records'),
    addedFiles: number('added-data-files'),
    rows: number('total-records'),
    files: number('total-data-files'),
    by: summary[MARKS_PROPERTY] === undefined ? (summary['engine-name'] ?? 'another writer') : 'inlet',
  }
}
