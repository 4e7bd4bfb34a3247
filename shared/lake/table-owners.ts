import { foldersBelow } from './first-key.ts'
import type { ObjectStore } from './object-store.ts'
import { MARKS_ROOT, parseMarksKey, type TableOwner } from './table-marks.ts'

/** The tables that a lake's logs fill, in whatever catalog they are: found by their marks, one list of one key for each. */
export async function* tableOwners(store: ObjectStore): AsyncIterable<TableOwner> {
  for await (const { owner } of foldersBelow(store, MARKS_ROOT, parseMarksKey)) yield owner
}
