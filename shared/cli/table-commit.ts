import { pendingEntries } from '#shared/lake/pending-entries.ts'
import { commitTables } from '#shared/lake/pipeline-tables.ts'
import type { OpenedTables } from './opened-tables.ts'
import { Progress } from './progress.ts'
import { requireTable } from './table-history.ts'

/** What a table has taken. */
export interface CommittedTable {
  readonly table: string
  /** Commits and amendments. */
  readonly entries: number
  readonly files: number
  readonly rows: number
  /** The new ones, in decimal. */
  readonly snapshots: readonly string[]
}

/**
 * Runs the committer for the tables of a pipeline until nothing is left, with a progress bar.
 * @throws InletError as `commitTable`
 */
export async function commitAll({ pipeline, surroundings, tables }: OpenedTables): Promise<CommittedTable[]> {
  let pending = 0
  for (const { owner } of tables) {
    const { metadata } = await requireTable(surroundings.tables.catalog, owner)
    pending += await pendingEntries(surroundings.store, owner, metadata)
  }
  const taken = new Map<string, CommittedTable>()
  const progress = new Progress(`commit ${pipeline.name}`, pending, 'commits')
  try {
    await commitTables(surroundings, pipeline, {
      onCommit: ({ table, entries, files, rows, snapshotId }) => {
        progress.advance(entries)
        const before = taken.get(table) ?? { table, entries: 0, files: 0, rows: 0, snapshots: [] }
        taken.set(table, {
          table,
          entries: before.entries + entries,
          files: before.files + files,
          rows: before.rows + rows,
          snapshots: [...before.snapshots, ...(snapshotId === null ? [] : [snapshotId])],
        })
      },
    })
  } finally {
    progress.stop()
  }
  return [...taken.values()]
}
