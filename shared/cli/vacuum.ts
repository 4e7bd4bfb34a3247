import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { dataPrefix, parseDataFileKey } from '#shared/lake/log-keys.ts'
import { vacuumMarks } from '#shared/lake/marks-vacuum.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { type OutsideTable, outsideTables } from '#shared/lake/outside-tables.ts'
import { tableFolders } from '#shared/lake/table-folders.ts'
import { tableOwners } from '#shared/lake/table-owners.ts'
import { vacuum } from '#shared/lake/vacuum.ts'
import { UsageError } from './failure.ts'
import { requireLake } from './missing-lake.ts'
import { printable } from './printable.ts'
import { formatBytes, formatCount, Progress } from './progress.ts'

const MAX_LISTED = 20

export interface VacuumedFile {
  readonly table: string
  readonly path: string
  readonly bytes: number
  /** Why nobody can name it any more. */
  readonly reason: string
}

export interface Vacuuming {
  readonly dryRun: boolean
  /** Data files that were looked at. */
  readonly files: number
  readonly deleted: readonly VacuumedFile[]
  /** Marks of Iceberg tables that no version of them names any more. */
  readonly deletedMarks: readonly string[]
  /** Tables whose new data files S3 Tables looks after. */
  readonly outside: readonly OutsideTable[]
}

export interface VacuumOptions {
  /** Of this table only. */
  readonly table?: string
  readonly catalog: string
  readonly dryRun?: boolean
}

/**
 * Deletes what nothing can name any more, table by table: data files, and marks of Iceberg tables.
 * @throws InletError LOG_CORRUPT when there is no commit log; UsageError for a table that there is not
 */
export async function vacuumLake(
  store: ObjectStore,
  { table: only, catalog, dryRun = false }: VacuumOptions,
): Promise<Vacuuming> {
  await requireLake(store)
  const outside = await outsideTables(store)
  const tables = new Set(outside.map(({ table }) => table))
  for await (const table of tableFolders(store)) tables.add(table)
  if (only !== undefined && !tables.has(only))
    throw new UsageError(`the lake has no table ${only}; there are ${[...tables].sort().join(', ') || 'none'}`)
  const deleted: VacuumedFile[] = []
  let files = 0
  for (const table of only === undefined ? tables : [only]) {
    const total = await countFiles(store, table)
    files += total
    const progress = new Progress(`${dryRun ? 'look through' : 'vacuum'} ${table}`, total, 'files')
    try {
      for await (const { key, bytes } of vacuum(store, table, { dryRun, onFile: () => progress.advance(1) }))
        deleted.push({ table, path: key, bytes, reason: reasonFor(key) })
    } finally {
      progress.stop()
    }
  }
  const isMeant = ({ table }: { readonly table: string }): boolean => (only ?? table) === table
  const deletedMarks: string[] = []
  const iceberg = openCatalog(catalog, store)
  for await (const owner of tableOwners(store)) {
    if (!isMeant(owner)) continue
    for (const { key } of await vacuumMarks(store, iceberg, owner, { dryRun })) deletedMarks.push(key)
  }
  return { dryRun, files, deleted, deletedMarks, outside: outside.filter(isMeant) }
}

/** What was deleted, or would be, as a page for people. */
export function vacuumPage(vacuuming: Vacuuming): string {
  const { dryRun, deletedMarks, outside } = vacuuming
  const parts = [filesPage(vacuuming)]
  if (deletedMarks.length > 0) {
    const count = `${formatCount(deletedMarks.length)} marks of Iceberg tables, which no version of them names any more`
    parts.push(`${dryRun ? 'Would delete' : 'Deleted'} ${count}.`)
  }
  if (outside.length > 0) {
    const tables = outside.map(({ table, location }) => `  ${printable(table)}  ${printable(location)}`)
    parts.push(
      [
        'S3 Tables itself removes what no snapshot has named for three days, or as its bucket says, from:',
        ...tables,
      ].join('\n'),
    )
  }
  return parts.join('\n\n')
}

function filesPage({ dryRun, files, deleted }: Vacuuming): string {
  const looked = `${formatCount(files)} data files`
  if (deleted.length === 0) return `Nothing to delete: each of ${looked} is named by a commit, or may still be.`
  const bytes = formatBytes(deleted.reduce((sum, file) => sum + file.bytes, 0))
  const count = `${formatCount(deleted.length)} of ${looked}, ${bytes}`
  const lines = deleted
    .slice(0, MAX_LISTED)
    .flatMap((file) => [`  ${printable(file.path)}  ${formatBytes(file.bytes)}`, `    ${file.reason}`])
  const more = deleted.length - MAX_LISTED
  if (more > 0) lines.push(`  … and ${formatCount(more)} more; --json lists all`)
  return [dryRun ? `Would delete ${count}; nothing was touched:` : `Deleted ${count}:`, '', ...lines].join('\n')
}

/** The name of a data file says which entry of the log it was written for; that entry is there and does not name it. */
function reasonFor(key: string): string {
  const place = parseDataFileKey(key)?.place
  if (place === undefined) return 'no commit names it'
  const entry =
    place.kind === 'commit'
      ? `the commit at offset ${formatCount(place.start)}`
      : `amendment ${place.number} of the commit at offset ${formatCount(place.amends)}`
  return `written for ${entry}, which another attempt put in its place`
}

async function countFiles(store: ObjectStore, table: string): Promise<number> {
  let files = 0
  for await (const _ of store.list(dataPrefix(table))) files += 1
  return files
}
