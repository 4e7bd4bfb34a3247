import type { LogEntry } from '#shared/lake/log-entry.ts'
import { type LogStore, logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { DataFile, OffsetRange } from '#shared/pipeline/commit.ts'

const SUFFIX = '_dead_letters'

/** Offsets whose dead letters in a file are settled: a later amendment says something else of their records. */
export interface Settled {
  readonly file: string
  readonly offsets: OffsetRange
}

export interface DeadLetterFiles {
  /** Dead-letter table → its files. */
  readonly tables: ReadonlyMap<string, readonly DataFile[]>
  readonly settled: readonly Settled[]
}

/** The name of the dead-letter table that is meant by its own name or by that of the table it belongs to. */
export function deadLetterTableName(table: string): string {
  return table.endsWith(SUFFIX) ? table : `${table}${SUFFIX}`
}

/** The files of dead letters that commits and amendments name, and which of these dead letters are settled. */
export async function deadLetterFiles(store: ObjectStore): Promise<DeadLetterFiles> {
  const tables = new Map<string, DataFile[]>()
  const settled: Settled[] = []
  for await (const { log } of logsOf(store)) {
    for await (const history of historiesOf(log)) {
      for (const [i, entry] of history.entries()) {
        const later = history.slice(i + 1).flatMap(({ covered }) => covered)
        for (const file of entry.files.filter(({ table }) => table.endsWith(SUFFIX))) {
          const files = tables.get(file.table)
          if (files === undefined) tables.set(file.table, [file])
          else files.push(file)
          for (const offsets of later) settled.push({ file: file.path, offsets })
        }
      }
    }
  }
  return { tables, settled }
}

/** Each commit with its amendments behind it. */
async function* historiesOf(log: LogStore): AsyncIterable<readonly LogEntry[]> {
  const amendments = new Map<number | null, LogEntry[]>()
  for await (const amendment of log.amendments()) {
    const before = amendments.get(amendment.amends)
    if (before === undefined) amendments.set(amendment.amends, [amendment])
    else before.push(amendment)
  }
  for await (const commit of log.commits()) yield [commit, ...(amendments.get(commit.start) ?? [])]
}
