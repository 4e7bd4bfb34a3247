import type { DataFile } from '#shared/pipeline/commit.ts'
import { logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'

/** The files that commits and amendments name, by table: what a reader may see of a lake, and nothing else. */
export async function committedFiles(store: ObjectStore): Promise<Map<string, DataFile[]>> {
  const tables = new Map<string, DataFile[]>()
  for await (const { log } of logsOf(store)) {
    for (const entries of [log.commits(), log.amendments()]) {
      for await (const { files } of entries) {
        for (const file of files) {
          const table = tables.get(file.table)
          if (table === undefined) tables.set(file.table, [file])
          else table.push(file)
        }
      }
    }
  }
  return tables
}
