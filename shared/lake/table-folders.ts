import { foldersBelow } from './first-key.ts'
import { parseTableKey, TABLES_ROOT } from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'

/** The tables that have a folder in a lake, by name: one list of one key for each. */
export async function* tableFolders(store: ObjectStore): AsyncIterable<string> {
  for await (const { table } of foldersBelow(store, TABLES_ROOT, parseTableKey)) yield table
}
