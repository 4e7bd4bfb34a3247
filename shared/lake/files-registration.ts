/**
 * Plain files in Glue: the partitions of what the logs have brought since the last time are registered, so that Athena and
 * Spark find them. How far that has got is kept beside the marks of tables. Nothing depends on it: what is registered twice is
 * registered, so two at a time, or one that dies before it has noted how far it got, do no harm.
 */
import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { type FilesDatabase, registerPartitions } from './glue-partitions.ts'
import { followLogs, marksAfter, releaseNews } from './log-follower.ts'
import { generationPrefix } from './log-keys.ts'
import { type LogStore, logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'
import { emptyMarks, findMarks, marksKey, putMarks, type TableOwner } from './table-marks.ts'

/** Commits of one log that are looked at in one run. */
const LIMIT = 1000

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
  const before = (await findMarks(store, key)) ?? emptyMarks(table.name, 'files')
  const logs: LogStore[] = []
  for await (const { log } of logsOf(store, generationPrefix(owner))) logs.push(log)
  const news = await followLogs(logs, table.name, before, LIMIT)
  const partitions = news.files.length === 0 ? 0 : await registerPartitions(place, table, news.files)
  await putMarks(store, key, { ...before, ...marksAfter(before, news) })
  await releaseNews(news, table.name)
  return { table: table.name, files: news.files.length, partitions }
}
