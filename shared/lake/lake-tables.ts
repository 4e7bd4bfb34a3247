/** Tables in a catalog, made and changed for a pipeline's logs to fill (see `committer.ts`). */
import { randomUUID } from 'node:crypto'
import { InletError } from '#shared/pipeline/errors.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'
import type { CommitterSurroundings } from './committer.ts'
import { rolledBackTo } from './iceberg/rollback.ts'
import type { LoadedTable } from './iceberg/table-catalog.ts'
import { withLock } from './iceberg/table-evolution.ts'
import { createTable, type TableMetadata, withProperties } from './iceberg/table-metadata.ts'
import { notedTable, noteTable, requireSameTable } from './table-identity.ts'
import { emptyMarks, MARKS_PROPERTY, marksKey, putMarks, readMarks, type TableOwner } from './table-marks.ts'

/** How often another writer may come first. */
const ATTEMPTS = 20

export interface ApplyOptions {
  /** Makes a table in the place of one that is gone, and has it filled from the beginning of the log. */
  readonly anew?: boolean
}

/**
 * Makes a table, or changes it until it has the columns and the partition spec of its lock.
 * @throws InletError TABLE_CHANGED when something else has given its ids to other columns; TABLE_DIVERGED when the log has
 * filled another table of that name
 */
export async function applyTable(
  surroundings: CommitterSurroundings,
  owner: TableOwner,
  lock: TableLock,
  { anew = false }: ApplyOptions = {},
): Promise<'created' | 'changed' | 'unchanged'> {
  const { store, tables, now } = surroundings
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const noted = await notedTable(store, owner)
    const base = await tables.catalog.load(owner.table)
    if (!anew || base !== undefined) await requireSameTable(store, owner, noted, base?.metadata)
    if (base === undefined) {
      const uuid = randomUUID()
      const key = marksKey(owner, randomUUID())
      await putMarks(store, key, emptyMarks(owner.table, uuid))
      const location = await tables.locationOf(owner.table)
      const metadata = createTable({ uuid, location, lock, properties: { [MARKS_PROPERTY]: key }, now: now() })
      if ((await tables.catalog.create(owner.table, metadata)) === 'conflict') continue
      await noteTable(store, owner, metadata, { replace: anew })
      return 'created'
    }
    const next = withLock(base.metadata, lock, now())
    if (next === base.metadata) return 'unchanged'
    if ((await tables.catalog.commit(owner.table, base, next)) === 'committed') return 'changed'
  }
  throw contended(owner)
}

/**
 * Has an empty table filled from the beginning of the log, whatever was filled before.
 * @throws InletError TABLE_MISSING; TABLE_DIVERGED when the table is not empty
 */
export async function adoptTable(surroundings: CommitterSurroundings, owner: TableOwner): Promise<void> {
  const { store } = surroundings
  await changeTable(surroundings, owner, async ({ metadata }) => {
    const uuid = metadata['table-uuid']
    if (metadata['current-snapshot-id'] !== undefined)
      throw new InletError(
        'TABLE_DIVERGED',
        `table ${owner.table} is not empty: what it holds would be there twice. Drop it, and make it anew with "inlet table apply"`,
      )
    const key = marksKey(owner, randomUUID())
    await putMarks(store, key, emptyMarks(owner.table, uuid))
    await noteTable(store, owner, metadata, { replace: true })
    return withProperties(metadata, { [MARKS_PROPERTY]: key }, surroundings.now())
  })
}

/**
 * Makes an older snapshot the current one, and the marks those that went with it, in one step: what the log has brought since
 * enters the table again with the next run of the committer; what others did to the table since is undone.
 * @param snapshotId in decimal
 * @throws InletError TABLE_MISSING; TABLE_DIVERGED when there is no such snapshot, or none of the log's before it
 */
export async function rollbackTable(
  surroundings: CommitterSurroundings,
  owner: TableOwner,
  snapshotId: string,
): Promise<void> {
  await changeTable(surroundings, owner, async ({ metadata }) => {
    const back = rolledBackTo(metadata, BigInt(snapshotId), MARKS_PROPERTY)
    const { store } = surroundings
    const marks =
      back.marks === null ? emptyMarks(owner.table, metadata['table-uuid']) : await readMarks(store, back.marks)
    // Amendments that were taken since have no markers any more.
    const key = marksKey(owner, randomUUID())
    await putMarks(store, key, { ...marks, rescan: true })
    return withProperties(back.metadata, { [MARKS_PROPERTY]: key }, surroundings.now())
  })
}

async function changeTable(
  { tables: { catalog } }: CommitterSurroundings,
  owner: TableOwner,
  change: (base: LoadedTable) => Promise<TableMetadata>,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const base = await catalog.load(owner.table)
    if (base === undefined)
      throw new InletError('TABLE_MISSING', `the catalog has no table ${owner.table}: make it with "inlet table apply"`)
    if ((await catalog.commit(owner.table, base, await change(base))) === 'committed') return
  }
  throw contended(owner)
}

function contended({ table }: TableOwner): InletError {
  return new InletError('TABLE_CONTENDED', `table ${table}: ${ATTEMPTS} times another writer's commit came first`)
}
