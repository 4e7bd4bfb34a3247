import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { DryStore } from '#shared/lake/dry-store.ts'
import { withLock } from '#shared/lake/iceberg/table-evolution.ts'
import { LOCK_REVISION, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { type ApplyOptions, applyTable } from '#shared/lake/lake-tables.ts'
import type { PipelineTable } from '#shared/lake/pipeline-tables.ts'
import { notedTable, requireSameTable } from '#shared/lake/table-identity.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { LockOutdatedError, type TableLock } from '#shared/pipeline/table-lock.ts'
import { type LockChange, lockChange } from './lock-file.ts'
import { openTables, type TablePlace } from './opened-tables.ts'
import { creation, shapeOfLock, shapeOfTable, type TableChange, tableChanges } from './table-changes.ts'

/** What a table lacks of what its pipeline declares. */
export interface TablePlan {
  readonly table: string
  readonly changes: readonly TableChange[]
  /** Why it cannot be made to fit; null when it can. */
  readonly refused: string | null
}

/** What `apply` would do to a table. Touches nothing. */
export async function planTable(
  { store, tables, now }: CommitterSurroundings,
  { owner, lock }: PipelineTable,
  { anew = false }: ApplyOptions = {},
): Promise<TablePlan> {
  const { table } = owner
  try {
    const noted = await notedTable(store, owner)
    const base = await tables.catalog.load(table)
    const dry = new DryStore(store, async () => undefined)
    if (!anew || base !== undefined) await requireSameTable(dry, owner, noted, base?.metadata)
    if (base === undefined) return { table, changes: [creation(shapeOfLock(lock))], refused: null }
    return { table, changes: changesOf(base.metadata, lock, now()), refused: null }
  } catch (error) {
    if (!(error instanceof InletError) || !error.code.startsWith('TABLE_')) throw error
    return { table, changes: [], refused: error.message }
  }
}

/** Makes a table, or changes it. @returns what was done. @throws InletError as `applyTable` */
export async function applyPlan(
  surroundings: CommitterSurroundings,
  table: PipelineTable,
  options: ApplyOptions,
): Promise<TablePlan> {
  const plan = await planTable(surroundings, table, options)
  const outcome = await applyTable(surroundings, table.owner, table.lock, options)
  return outcome === 'unchanged' ? { ...plan, changes: [] } : plan
}

function changesOf(metadata: TableMetadata, lock: TableLock, now: number): TableChange[] {
  const next = withLock(metadata, lock, now)
  if (next === metadata) return []
  const changes = tableChanges(shapeOfTable(metadata), shapeOfTable(next))
  return changes.length > 0
    ? changes
    : [{ kind: 'note', text: `note revision ${next.properties[LOCK_REVISION]} of the lock` }]
}

/**
 * What the lock file and the tables of a pipeline lack. While the lock file is out of date the tables cannot be told.
 * @throws UsageError, PipelineDefinitionError as `lockChange` and `openTables`
 */
export async function planTables(
  nameOrFile: string,
  place: TablePlace,
  options: ApplyOptions,
): Promise<{ readonly lock: LockChange | null; readonly tables: readonly TablePlan[] }> {
  const opened = await openTables(nameOrFile, place).catch((error: unknown) => {
    if ((error as { cause?: unknown }).cause instanceof LockOutdatedError) return null
    throw error
  })
  if (opened === null) return { lock: await lockChange(nameOrFile), tables: [] }
  const tables: TablePlan[] = []
  for (const table of opened.tables) tables.push(await planTable(opened.surroundings, table, options))
  return { lock: null, tables }
}
