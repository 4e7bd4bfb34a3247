import { entryFaults, type LogEntry } from '#shared/lake/log-entry.ts'
import type { LogStore } from '#shared/lake/log-store.ts'

/** A log read from one end to the other, and what is wrong with it. */
export interface LogAudit {
  /** Commits in the order of the chain, each followed by its amendments. */
  readonly entries: readonly LogEntry[]
  /** Offsets whose record is a row or a counted skip; those whose last verdict is "rejected". */
  readonly settled: ReadonlySet<number>
  readonly rejected: ReadonlySet<number>
  readonly faults: readonly string[]
}

/** Goes by what the log has to be, not by how it is written: nothing here is shared with the code that writes it. */
export async function auditLog(log: LogStore): Promise<LogAudit> {
  const entries: LogEntry[] = []
  const settled = new Set<number>()
  const rejected = new Set<number>()
  const faults: string[] = []
  let end = -1
  for (const commit of (await fromAsync(log.commits())).reverse()) {
    if (commit.start !== end + 1) faults.push(`${nameOf(commit)} does not begin behind ${end}, where the one before it ends`)
    end = commit.end
    for (const entry of [commit, ...(await log.amendmentsOf(commit.start))]) {
      entries.push(entry)
      faults.push(...entryFaults(entry).map((fault) => `${nameOf(entry)}: ${fault}`))
      if (entry.start < commit.start || entry.end > commit.end) faults.push(`${nameOf(entry)} is not within its commit`)
      const refused = new Set(offsetsOf(entry.rejected))
      for (const offset of offsetsOf(entry.covered)) {
        if (settled.has(offset)) faults.push(`${nameOf(entry)} settles offset ${offset}, which was settled before`)
        const [into, from] = refused.has(offset) ? [rejected, settled] : [settled, rejected]
        into.add(offset)
        from.delete(offset)
      }
    }
  }
  const amendments = entries.filter(({ kind }) => kind === 'amendment').length
  const listed = (await fromAsync(log.amendments())).length
  if (listed !== amendments) faults.push(`${listed - amendments} amendments belong to no commit`)
  return { entries, settled, rejected, faults }
}

export function nameOf({ kind, start, amends, number }: LogEntry): string {
  return kind === 'commit' ? `commit ${start}` : `amendment ${amends}.${number}`
}

export function offsetsOf(ranges: LogEntry['covered']): number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
}

export async function fromAsync<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
