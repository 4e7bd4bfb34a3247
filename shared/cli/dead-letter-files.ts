import { deadLettersOf } from '#shared/lake/dead-letters.ts'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, type LogId } from '#shared/lake/log-keys.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { DataFile, OffsetRange } from '#shared/pipeline/commit.ts'

/** Offsets whose dead letters in a file are resolved: an amendment says something else of their records. */
export interface ResolvedOffsets {
  readonly file: string
  readonly offsets: OffsetRange
  readonly by: LogEntry
  /** The key of the amendment. */
  readonly key: string
}

export interface DeadLetterFiles {
  /** Dead-letter table → its files. */
  readonly tables: ReadonlyMap<string, readonly DataFile[]>
  readonly resolved: readonly ResolvedOffsets[]
}

/**
 * The files of dead letters that commits and amendments name, and which of these dead letters are resolved.
 * @param isMeant leaves logs out
 */
export async function deadLetterFiles(
  store: ObjectStore,
  isMeant: (id: LogId) => boolean = () => true,
): Promise<DeadLetterFiles> {
  const tables = new Map<string, DataFile[]>()
  const resolved: ResolvedOffsets[] = []
  for await (const { id, log } of logsOf(store)) {
    if (!isMeant(id)) continue
    for await (const { entries } of deadLettersOf(store, log)) {
      for (const entry of entries) {
        for (const file of entry.files) {
          const files = tables.get(file.table)
          if (files === undefined) tables.set(file.table, [file])
          else files.push(file)
        }
        for (const { offsets: ranges, by } of entry.resolved) {
          const key = amendmentKey(log.prefix, by.amends ?? by.start, by.number)
          for (const { path: file } of entry.files)
            for (const offsets of ranges) resolved.push({ file, offsets, by, key })
        }
      }
    }
  }
  return { tables, resolved }
}
