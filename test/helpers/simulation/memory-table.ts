import { type LogMarks, newEntries, NO_MARKS, releaseMarkers } from '#shared/lake/log-follower.ts'
import { LogStore, type Marker } from '#shared/lake/log-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Fate } from './fates.ts'
import type { FollowedTable, TableVersion, Workplace } from './followed-table.ts'

/** A table as a catalog keeps it: one pointer to the current version, moved by compare and swap. */
export class MemoryTable implements FollowedTable {
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

  async commit({ logs: ids, process, store, limit }: Workplace): Promise<void> {
    const logs = ids.map((id) => new LogStore(store, id))
    const key = this.name
    for (;;) {
      const read = { operation: 'read', key, effect: () => this.current, error: unavailable }
      const before = (await process.call(read)) as TableVersion
      const marks: Record<string, LogMarks> = { ...before.marks }
      const entries = []
      const markers: { log: LogStore; found: readonly Marker[] }[] = []
      for (const log of logs) {
        const news = await newEntries(log, this.name, before.marks[log.prefix] ?? NO_MARKS, limit)
        entries.push(...news.entries)
        marks[log.prefix] = news.marks
        markers.push({ log, found: news.markers })
      }
      const files = entries.flatMap((entry) => entry.files.filter((file) => file.table === this.name))
      const after: TableVersion = { files: [...before.files, ...files.map((file) => file.path)], marks }
      const swap = { operation: 'swap', key, effect: () => this.swap(before, after), error: unavailable }
      if (entries.length > 0 && (await process.call(swap)) === false) continue
      for (const { log, found } of markers) await releaseMarkers(log, this.name, marks[log.prefix] ?? NO_MARKS, found)
      return
    }
  }

  /** The same in another version. */
  async disturb({ process }: Workplace): Promise<void> {
    const effect = (): unknown => (this.current = { ...this.current })
    await process.call({ operation: 'swap', key: this.name, effect, error: unavailable })
  }

  async read(): Promise<void> {}
}

function unavailable(fate: Fate): InletError {
  return new InletError('STORE_UNAVAILABLE', `the catalog: ${fate}`)
}
