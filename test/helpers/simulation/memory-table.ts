import { type LogMarks, newEntries, NO_MARKS, releaseMarkers } from '#shared/lake/log-follower.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { LogStore, type Marker } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Fate } from './fates.ts'
import type { Process } from './process.ts'

/** What a table is at one moment: the files that a reader sees, and how far each log was followed, by its prefix. */
export interface TableVersion {
  readonly files: readonly string[]
  readonly marks: Readonly<Record<string, LogMarks>>
}

/** A table as a catalog keeps it: one pointer to the current version, moved by compare and swap. */
export class MemoryTable {
  readonly name: string
  current: TableVersion = { files: [], marks: {} }
  /** Files that it was made to name and that were not there. */
  readonly missing: string[] = []
  readonly #exists: (path: string) => boolean

  constructor(name: string, exists: (path: string) => boolean) {
    this.name = name
    this.#exists = exists
  }

  swap(expected: TableVersion, next: TableVersion): boolean {
    if (this.current !== expected) return false
    this.current = next
    this.missing.push(...next.files.slice(expected.files.length).filter((path) => !this.#exists(path)))
    return true
  }
}

/**
 * One run of a committer: what the logs hold and the table has not taken becomes one new version of the table.
 * @param limit how many commits to take of a log at the most
 */
export async function commitTable(
  table: MemoryTable,
  ids: readonly LogId[],
  process: Process,
  store: ObjectStore,
  limit: number,
): Promise<void> {
  const logs = ids.map((id) => new LogStore(store, id))
  const key = table.name
  for (;;) {
    const read = { operation: 'read', key, effect: () => table.current, error: unavailable }
    const before = (await process.call(read)) as TableVersion
    const marks: Record<string, LogMarks> = { ...before.marks }
    const entries = []
    const markers: { log: LogStore; found: readonly Marker[] }[] = []
    for (const log of logs) {
      const news = await newEntries(log, table.name, before.marks[log.prefix] ?? NO_MARKS, limit)
      entries.push(...news.entries)
      marks[log.prefix] = news.marks
      markers.push({ log, found: news.markers })
    }
    const files = entries.flatMap((entry) => entry.files.filter((file) => file.table === table.name))
    const after: TableVersion = { files: [...before.files, ...files.map((file) => file.path)], marks }
    const swap = { operation: 'swap', key, effect: () => table.swap(before, after), error: unavailable }
    if (entries.length > 0 && (await process.call(swap)) === false) continue
    for (const { log, found } of markers) await releaseMarkers(log, table.name, marks[log.prefix] ?? NO_MARKS, found)
    return
  }
}

function unavailable(fate: Fate): InletError {
  return new InletError('STORE_UNAVAILABLE', `the catalog: ${fate}`)
}
