import { NO_MARKS, type LogMarks } from './log-follower.ts'
import { generationPrefix } from './log-keys.ts'
import { type LogStore, logsOf } from './log-store.ts'
import type { TableMetadata } from './iceberg/table-metadata.ts'
import type { ObjectStore } from './object-store.ts'
import { marksOf, type TableOwner } from './table-marks.ts'

/**
 * How many commits and amendments of its pipeline's logs a table has not taken: what the committer would bring it next. Told by
 * keys alone, a list for each log and one for each thousand of them.
 * @throws InletError TABLE_DIVERGED when the marks are not those of the table as it is now
 */
export async function pendingEntries(store: ObjectStore, owner: TableOwner, metadata: TableMetadata): Promise<number> {
  const marks = await marksOf(store, metadata, owner)
  let pending = 0
  for await (const { log } of logsOf(store, generationPrefix(owner)))
    pending += await pendingOf(log, owner.table, marks?.logs[log.prefix] ?? NO_MARKS, marks?.rescan ?? true)
  return pending
}

async function pendingOf(log: LogStore, table: string, { next, amended }: LogMarks, rescan: boolean): Promise<number> {
  let pending = (await log.startsFrom(next)).length
  if (rescan) {
    const places = await log.amendmentPlaces()
    return pending + places.filter(({ amends, number }) => number >= (amended[amends] ?? 0)).length
  }
  for (const { amends, number } of await log.markers(table)) {
    // A marker is put before its amendment, by a writer that may have died in between; several may have put the same.
    if (number >= (amended[amends] ?? 0) && (await log.amendmentAt(amends, number)) !== undefined) pending += 1
  }
  return pending
}
