/**
 * Plain files in Glue: the partitions of what the logs have brought since the last time are registered, so that Athena and
 * Spark find them. How far that has got is kept beside the marks of tables. Nothing depends on it: what is registered twice is
 * registered, so two at a time, or one that dies before it has noted how far it got, do no harm.
 */
import { pMapIterable } from 'p-map'
import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { type FilesDatabase, registerPartitions } from './glue-partitions.ts'
import { type LogMarks, newEntries, NO_MARKS, releaseMarkers } from './log-follower.ts'
import { LOG_ROOT } from './log-keys.ts'
import { logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'
import { emptyMarks, marksKey, putMarks, readMarks, type TableOwner } from './table-marks.ts'

/** Commits of one log that are looked at in one run. */
const LIMIT = 1000
const READ_AHEAD = 4

/** What one run came to. */
export interface FilesRegistration {
  readonly table: string
  readonly files: number
  /** Partitions that Glue did not know. */
  readonly partitions: number
}

/**
 * Registers the partitions of a pipeline of plain files, of its rows and of its dead letters, that are new since the last run.
 * @throws InletError as `registerPartitions` does; then the next run tries the same again
 */
export async function registerFiles(
  store: ObjectStore,
  place: FilesDatabase,
  pipeline: Pipeline,
): Promise<FilesRegistration[]> {
  const done: FilesRegistration[] = []
  for (const table of [pipeline.table, deadLetterTable(pipeline)])
    done.push(await registerTable(store, place, pipeline, table))
  return done
}

async function registerTable(
  store: ObjectStore,
  place: FilesDatabase,
  { name: pipeline, generation }: Pipeline,
  table: Table,
): Promise<FilesRegistration> {
  const owner: TableOwner = { pipeline, generation, table: table.name }
  const key = marksKey(owner, 'registered')
  const before = (await store.get(key)) === undefined ? emptyMarks(table.name, 'files') : await readMarks(store, key)
  const logs: Record<string, LogMarks> = { ...before.logs }
  const files = []
  const found = []
  const news = pMapIterable(
    logsOf(store, `${LOG_ROOT}${pipeline}/g${generation}/`),
    async ({ log }) => ({
      log,
      ...(await newEntries(log, table.name, logs[log.prefix] ?? NO_MARKS, LIMIT, before.rescan)),
    }),
    { concurrency: READ_AHEAD },
  )
  for await (const { log, entries, marks, markers } of news) {
    files.push(...entries.flatMap((entry) => entry.files.filter((file) => file.table === table.name)))
    logs[log.prefix] = marks
    found.push({ log, marks, markers })
  }
  const partitions = files.length === 0 ? 0 : await registerPartitions(place, table, files)
  await putMarks(store, key, { ...before, rescan: false, logs })
  for (const { log, marks, markers } of found) await releaseMarkers(log, table.name, marks, markers)
  return { table: table.name, files: files.length, partitions }
}
