import type { LogEntry } from '#shared/lake/log-entry.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { type DataFile, inRanges } from '#shared/pipeline/commit.ts'
import { isDeadLetterTable } from '#shared/pipeline/dead-letter-name.ts'
import type { ResolvedOffsets } from './dead-letter-files.ts'
import { FILE_COLUMN, withLakeDatabase } from './lake-database.ts'
import { quoted } from './sql-text.ts'

/** What has been said of a dead letter's record since, and by which amendment. */
export interface Resolution {
  readonly as: 'row' | 'skipped' | 'rejected again'
  /** Why it was rejected again: the newer dead letter's code. */
  readonly code: string | null
  /** The key of the amendment. */
  readonly by: string
}

/** A dead letter's place: its data file, and its record's offset. */
interface Place {
  readonly file: string
  readonly offset: number
}

/** How dead letters were resolved, in their order; undefined for one that is open. */
export async function resolutionsOf(
  store: ObjectStore,
  resolved: readonly ResolvedOffsets[],
  letters: readonly Place[],
): Promise<(Resolution | undefined)[]> {
  const found = letters.map(({ file, offset }) =>
    resolved.find((each) => each.file === file && inRanges(offset, [each.offsets])),
  )
  const unclear = letters.flatMap(({ offset }, i) => {
    const by = found[i]?.by
    return by === undefined || (isClear(by) && !inRanges(offset, by.rejected)) ? [] : [{ by, offset }]
  })
  const stored = await rowsOf(store, unclear)
  return letters.map(({ offset }, i) => {
    const each = found[i]
    if (each === undefined) return undefined
    const { by, key } = each
    if (inRanges(offset, by.rejected))
      return { as: 'rejected again', code: stored.get(placeOf(by, offset)) ?? null, by: key }
    const isRow = isClear(by) ? by.counts.skipped === 0 : stored.has(placeOf(by, offset))
    return { as: isRow ? 'row' : 'skipped', code: null, by: key }
  })
}

/** Whether an entry's counts alone say what its records became that it does not reject. */
function isClear({ counts }: LogEntry): boolean {
  return counts.skipped === 0 || counts.written === 0
}

interface Judged {
  readonly by: LogEntry
  readonly offset: number
}

/** What the files of entries hold of records: the code of a dead letter, null of a row; those that were skipped are not there. */
async function rowsOf(store: ObjectStore, records: readonly Judged[]): Promise<Map<string, string | null>> {
  const entryOf = new Map<string, LogEntry>()
  const tables = new Map<string, DataFile[]>()
  for (const by of new Set(records.map((record) => record.by))) {
    for (const file of by.files) {
      entryOf.set(file.path, by)
      tables.set(file.table, [...(tables.get(file.table) ?? []), file])
    }
  }
  const stored = new Map<string, string | null>()
  if (tables.size === 0) return stored
  const views = [...tables].map(([name, files]) => ({ name, files, withFile: true }))
  const offsets = [...new Set(records.map(({ offset }) => offset))].join(', ')
  await withLakeDatabase(store, views, async ({ query, keyOf }) => {
    for (const { name } of views) {
      const code = isDeadLetterTable(name) ? 'code' : 'NULL'
      const { rows } = await query(
        `SELECT DISTINCT ${FILE_COLUMN}, _offset::DOUBLE, ${code} FROM ${quoted(name)} WHERE _offset IN (${offsets})`,
      )
      for (const [file, offset, reason] of rows as readonly (readonly [string, number, string | null])[]) {
        const by = entryOf.get(keyOf(file))
        if (by !== undefined) stored.set(placeOf(by, offset), reason)
      }
    }
  })
  return stored
}

/** An attempt's id is its entry's own. */
function placeOf({ attempt }: LogEntry, offset: number): string {
  return `${attempt} ${offset}`
}
