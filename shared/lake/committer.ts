/**
 * The committer: what the logs of a pipeline hold and a table has not taken becomes one snapshot of the table.
 *
 * It reads the table's marks, follows each log from there, writes new marks, and makes one version of the table that has the
 * files and names the marks, by compare and swap in the catalog. So a file is in the table exactly when the marks count its
 * entry. Any number of committers may run, and each may be stopped anywhere: who loses the swap begins again from what the
 * table has become, and what was written for a version that never was is never named.
 */
import { randomUUID } from 'node:crypto'
import pMap from 'p-map'
import type { DataFile } from '#shared/pipeline/commit.ts'
import { asInletError, InletError } from '#shared/pipeline/errors.ts'
import { append, type Append } from './iceberg/append.ts'
import { contentFileOf } from './iceberg/data-file.ts'
import { LocatedStore } from './iceberg/located-store.ts'
import type { OpenCatalog } from './iceberg/open-catalog.ts'
import type { PartitionColumn } from './iceberg/partition-spec.ts'
import { expireSnapshots } from './iceberg/retention.ts'
import { newSnapshotId } from './iceberg/snapshot.ts'
import { SLICE_ORDER_ID } from './iceberg/sort-order.ts'
import type { LoadedTable } from './iceberg/table-catalog.ts'
import { partitionColumnsOf, type TableMetadata, withProperties } from './iceberg/table-metadata.ts'
import { type FollowedLogs, followLogs, marksAfter, releaseNews, type TableNews } from './log-follower.ts'
import { generationPrefix } from './log-keys.ts'
import { type LogStore, logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'
import { notedTable, requireSameTable } from './table-identity.ts'
import { MARKS_PROPERTY, marksKey, marksOf, putMarks, snapshotOf, type TableOwner } from './table-marks.ts'

/** What a committer works with. */
export interface CommitterSurroundings {
  /** Of the logs, the marks and the data files. */
  readonly store: ObjectStore
  readonly tables: OpenCatalog
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export interface CommitterOptions {
  /** Commits of one log that are taken at the most; the rest is left to the next run. */
  readonly limit?: number
  /** How often the swap may be lost. */
  readonly attempts?: number
}

/** What one run came to. */
export interface TableCommit {
  readonly table: string
  /** Commits and amendments that the table has taken. */
  readonly entries: number
  readonly files: number
  readonly rows: number
  /** The new snapshot, in decimal; null when there was nothing to add. */
  readonly snapshotId: string | null
  /** Whether a log may hold more than the limit. */
  readonly isMore: boolean
  /** How long the oldest of the commits had been in the log, in milliseconds; null without commits. */
  readonly waitedMs: number | null
}

const LIMIT = 1000
const ATTEMPTS = 20
const CONCURRENCY = 16

/**
 * Runs the committer once for one table.
 * @throws InletError TABLE_MISSING when the catalog has no such table; TABLE_DIVERGED when it is not the one that the log has
 * filled (see `table-marks.ts`); TABLE_CONTENDED when the swap was lost too often
 */
export async function commitTable(
  surroundings: CommitterSurroundings,
  owner: TableOwner,
  { limit = LIMIT, attempts = ATTEMPTS }: CommitterOptions = {},
): Promise<TableCommit> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const base = await surroundings.tables.catalog.load(owner.table)
    if (base === undefined) throw missing(owner)
    const before = await marksBefore(surroundings.store, base.metadata, owner)
    const news = await followLogs(before.found, owner.table, before, limit)
    const added = news.entries === 0 ? UNCHANGED : await takeNews(surroundings, owner, base, before, news)
    if (added === undefined) continue
    await releaseNews(news, owner.table)
    const waitedMs = news.since === null ? null : Math.max(0, surroundings.now() - news.since)
    return { table: owner.table, entries: news.entries, isMore: news.isMore, waitedMs, ...added }
  }
  throw new InletError(
    'TABLE_CONTENDED',
    `table ${owner.table}: ${attempts} times another writer's commit came first; the next run goes on`,
  )
}

const UNCHANGED = { files: 0, rows: 0, snapshotId: null }

/** The logs that there are, and how far the table has followed them. */
async function marksBefore(
  store: ObjectStore,
  metadata: TableMetadata,
  owner: TableOwner,
): Promise<FollowedLogs & { readonly found: readonly LogStore[] }> {
  const found: LogStore[] = []
  for await (const { log } of logsOf(store, generationPrefix(owner))) found.push(log)
  await requireSameTable(store, owner, await notedTable(store, owner), metadata)
  const marks = await marksOf(store, metadata, owner)
  if (marks === undefined && found.length > 0) throw unmarked(owner)
  return { logs: marks?.logs ?? {}, rescan: marks?.rescan ?? false, found }
}

/** Makes the version of the table that has the news. @returns undefined when another writer was first */
async function takeNews(
  { store, tables, now }: CommitterSurroundings,
  owner: TableOwner,
  base: LoadedTable,
  before: FollowedLogs,
  news: TableNews,
): Promise<Pick<TableCommit, 'files' | 'rows' | 'snapshotId'> | undefined> {
  const { files } = news
  const attempt = randomUUID()
  const key = marksKey(owner, attempt)
  const change = { attempt, now: now(), summary: { [MARKS_PROPERTY]: key } }
  const grown = files.length === 0 ? base.metadata : await withFiles(base.metadata, files, change, store, tables)
  const of = { table: owner.table, tableId: base.metadata['table-uuid'] }
  await putMarks(store, key, { ...of, ...marksAfter(before, news), ...snapshotOf(grown) })
  const next = expireSnapshots(withProperties(grown, { [MARKS_PROPERTY]: key }, change.now), change.now)
  if ((await tables.catalog.commit(owner.table, base, next)) === 'conflict') return undefined
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  return { files: files.length, rows, snapshotId: files.length === 0 ? null : snapshotOf(grown).snapshotId }
}

/** The table with the files as a new snapshot, whose manifests are written. */
async function withFiles(
  metadata: TableMetadata,
  files: readonly DataFile[],
  change: Pick<Append, 'attempt' | 'now' | 'summary'>,
  store: ObjectStore,
  tables: OpenCatalog,
): Promise<TableMetadata> {
  const lake = new LocatedStore(store)
  const located = tables.filesAt(metadata.location)
  const placement = {
    locate: (key: string) => lake.locate(key),
    partitionColumns: partitionColumnsBySpec(metadata),
    sortOrder: SLICE_ORDER_ID,
  }
  const content = files.map((file) => contentFileOf(file, placement))
  const read = (location: string): Promise<Uint8Array> => located.read(location)
  const appended = await append(metadata, { files: content, snapshotId: newSnapshotId(metadata), ...change }, read)
  const puts = pMap(appended.objects, ([location, body]) => located.put(location, body), {
    concurrency: CONCURRENCY,
    stopOnError: false, // what has begun must settle before anything is answered
  })
  await puts.catch((error: unknown) => {
    throw asInletError(error, 'write the manifests of a snapshot')
  })
  return appended.metadata
}

/** A slice has files in many partitions of the same spec. */
function partitionColumnsBySpec(metadata: TableMetadata): (spec: number) => readonly PartitionColumn[] {
  const known = new Map<number, readonly PartitionColumn[]>()
  return (spec) => {
    const columns = known.get(spec) ?? partitionColumnsOf(metadata, spec)
    known.set(spec, columns)
    return columns
  }
}

function missing({ table, pipeline }: TableOwner): InletError {
  return new InletError(
    'TABLE_MISSING',
    `the catalog has no table ${table}: make it with "inlet table apply ${pipeline}"; what waits in the log enters it then`,
  )
}

function unmarked({ table, pipeline }: TableOwner): InletError {
  return new InletError(
    'TABLE_DIVERGED',
    `table ${table} does not say what it has of the log of ${pipeline}, which is not empty: it was made or filled by ` +
      `something else. If it is empty, "inlet table adopt ${pipeline}" fills it from the beginning of the log`,
  )
}
