import { deadLettersOf } from '#shared/lake/dead-letters.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { OffsetRange } from '#shared/pipeline/commit.ts'

/** What the logs say of dead letters by the places of their records alone. */
export interface OffsetVerdict {
  readonly table: string
  readonly topic: string
  readonly epoch: number
  readonly partition: number
  readonly offsets: OffsetRange
  readonly isOpen: boolean
}

/**
 * The verdicts on the dead letters of tables whose files were written anew by another engine: the log does not name such files.
 * Of a record that was rejected twice both dead letters are in them, and nothing tells which is which: it is open.
 */
export async function offsetVerdicts(store: ObjectStore, tables: ReadonlySet<string>): Promise<OffsetVerdict[]> {
  const verdicts: OffsetVerdict[] = []
  for await (const { id, log } of logsOf(store)) {
    const { topic, epoch, partition } = id
    for await (const { entries } of deadLettersOf(store, log)) {
      for (const { files, open, resolved } of entries) {
        const table = files.find((file) => tables.has(file.table))?.table
        if (table === undefined) continue
        const place = { table, topic, epoch, partition }
        for (const offsets of open) verdicts.push({ ...place, offsets, isOpen: true })
        for (const offsets of resolved.flatMap((each) => each.offsets))
          verdicts.push({ ...place, offsets, isOpen: false })
      }
    }
  }
  return verdicts
}
