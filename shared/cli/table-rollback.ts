import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { rollbackTable } from '#shared/lake/lake-tables.ts'
import { pendingEntries } from '#shared/lake/pending-entries.ts'
import type { TableOwner } from '#shared/lake/table-marks.ts'
import { UsageError } from './failure.ts'
import { snapshotAt } from './snapshot-choice.ts'
import { requireTable } from './table-history.ts'

/** What a roll-back came to. */
export interface RolledBackTable {
  readonly table: string
  /** The snapshots, in decimal; null where there was none. */
  readonly from: string | null
  readonly to: string
  /** What it has now; null when the snapshot does not tell. */
  readonly rows: number | null
  /** Commits and amendments of the log that it has not taken, or not any more. */
  readonly pending: number
}

/**
 * Makes an older snapshot the current one, and has the log go on from there.
 * @param to the snapshot, in decimal
 * @throws UsageError when there is no such snapshot; InletError TABLE_MISSING, TABLE_DIVERGED
 */
export async function rollBack(
  surroundings: CommitterSurroundings,
  owner: TableOwner,
  to: string,
): Promise<RolledBackTable> {
  const { store, tables } = surroundings
  if (!/^\d+$/.test(to))
    throw new UsageError(`--to ${to}: expected the id of a snapshot; "inlet table history" shows them`)
  const { metadata: before } = await requireTable(tables.catalog, owner)
  const target = snapshotAt(owner.table, before, to)
  await rollbackTable(surroundings, owner, to)
  const { metadata } = await requireTable(tables.catalog, owner)
  const total = target?.summary['total-records']
  return {
    table: owner.table,
    from: currentSnapshot(before)?.['snapshot-id'].toString() ?? null,
    to,
    rows: total === undefined ? null : Number(total),
    pending: await pendingEntries(store, owner, metadata),
  }
}
