import { dataPrefix, parseDataFileKey, TABLES_ROOT } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
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
}

/**
 * Deletes the data files that no commit can name any more, table by table.
 * @throws InletError LOG_CORRUPT when there is no commit log; UsageError for a table that there is not
 */
export async function vacuumLake(store: ObjectStore, only: string | undefined, dryRun: boolean): Promise<Vacuuming> {
  await requireLake(store)
  const tables = await tablesOf(store)
  if (only !== undefined && !tables.includes(only))
    throw new UsageError(`the lake has no table ${only}; there are ${tables.join(', ') || 'none'}`)
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
  return { dryRun, files, deleted }
}

/** What was deleted, or would be, as a page for people. */
export function vacuumPage({ dryRun, files, deleted }: Vacuuming): string {
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

/** The tables that have data files: a list of one key for each of them. */
async function tablesOf(store: ObjectStore): Promise<string[]> {
  const tables: string[] = []
  for (let startAfter = TABLES_ROOT; ; ) {
    const [table] = await firstSegment(store, startAfter)
    if (table === undefined) return tables
    tables.push(table)
    // Behind every key of the table: the character behind the slash.
    startAfter = `${TABLES_ROOT}${table}0`
  }
}

async function firstSegment(store: ObjectStore, startAfter: string): Promise<string[]> {
  for await (const { key } of store.list(TABLES_ROOT, { startAfter, limit: 1 }))
    return [key.slice(TABLES_ROOT.length).split('/')[0] ?? '']
  return []
}

async function countFiles(store: ObjectStore, table: string): Promise<number> {
  let files = 0
  for await (const _ of store.list(dataPrefix(table))) files += 1
  return files
}
