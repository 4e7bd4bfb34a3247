import { type LogMarks, NO_MARKS } from '#shared/lake/log-follower.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { LogStore, type Marker } from '#shared/lake/log-store.ts'
import type { Parts } from './parts.ts'
import type { Random } from './random.ts'
import type { Actor } from './schedule.ts'

/** What a table is at one moment: the files that a reader sees, and how far each log was followed, by its prefix. */
export interface TableVersion {
  readonly files: readonly string[]
  readonly marks: Readonly<Record<string, LogMarks>>
}

/** A table as a catalog keeps it: one pointer to the current version, moved by compare and swap. */
export class MemoryTable {
  readonly name: string
  current: TableVersion = { files: [], marks: {} }

  constructor(name: string) {
    this.name = name
  }

  swap(expected: TableVersion, next: TableVersion): boolean {
    if (this.current !== expected) return false
    this.current = next
    return true
  }
}

/** One run of a committer: what the logs hold and the table has not taken becomes one new version of the table. */
export async function commitTable(
  table: MemoryTable,
  ids: readonly LogId[],
  actor: Actor,
  parts: Parts,
  random: Random,
): Promise<void> {
  const logs = ids.map((id) => new LogStore(parts.store(actor.store), id))
  const key = table.name
  const limit = random.chance(0.3) ? random.between(1, 4) : Number.POSITIVE_INFINITY
  for (;;) {
    const before = await actor.intercept({ operation: 'read', key }, () => table.current)
    const marks: Record<string, LogMarks> = { ...before.marks }
    const entries = []
    const markers: { log: LogStore; found: readonly Marker[] }[] = []
    for (const log of logs) {
      const news = await parts.newEntries(log, table.name, before.marks[log.prefix] ?? NO_MARKS, limit)
      entries.push(...news.entries)
      marks[log.prefix] = news.marks
      markers.push({ log, found: news.markers })
    }
    const files = entries.flatMap((entry) => entry.files.filter((file) => file.table === table.name))
    const after: TableVersion = { files: [...before.files, ...files.map((file) => file.path)], marks }
    const isCurrent =
      entries.length === 0 ||
      (await actor.intercept({ operation: 'swap', key }, () => parts.swap(table, before, after)))
    if (!isCurrent) continue
    for (const { log, found } of markers)
      await parts.releaseMarkers(log, table.name, marks[log.prefix] ?? NO_MARKS, found)
    return
  }
}
