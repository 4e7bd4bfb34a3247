import { entryFaults, type LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, amendmentsPrefix, commitKey, commitsPrefix } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'

/** A log read from one end to the other, and what is wrong with it. */
export interface LogAudit {
  /** Commits in the order of the chain, each followed by its amendments. */
  readonly entries: readonly LogEntry[]
  /** Offsets whose record is a row or a counted skip; those whose last verdict is "rejected". */
  readonly settled: ReadonlySet<number>
  readonly rejected: ReadonlySet<number>
  readonly faults: readonly string[]
}

/** Reads what is there and judges it by what a log has to be: none of the code that writes or follows logs is used. */
export async function auditLog(store: ObjectStore, prefix: string): Promise<LogAudit> {
  const commits = await readAll(store, commitsPrefix(prefix))
  const amendments = await readAll(store, amendmentsPrefix(prefix))
  const entries: LogEntry[] = []
  const settled = new Set<number>()
  const rejected = new Set<number>()
  const faults: string[] = []
  let end = -1
  for (const [key, commit] of [...commits].reverse()) {
    if (key !== commitKey(prefix, commit.start)) faults.push(`${nameOf(commit)} lies at ${key}`)
    if (commit.start !== end + 1)
      faults.push(`${nameOf(commit)} does not begin behind ${end}, where the one before ends`)
    end = commit.end
    const chain = [commit]
    for (let entry = amendments.get(amendmentKey(prefix, commit.start, 0)); entry !== undefined; ) {
      if (entry.amends !== commit.start || entry.number !== chain.length - 1)
        faults.push(`${nameOf(entry)} is misplaced`)
      chain.push(entry)
      entry = amendments.get(amendmentKey(prefix, commit.start, chain.length - 1))
    }
    for (const entry of chain) {
      entries.push(entry)
      faults.push(...entryFaults(entry).map((fault) => `${nameOf(entry)}: ${fault}`))
      if (entry.start < commit.start || entry.end > commit.end) faults.push(`${nameOf(entry)} leaves its commit`)
      const refused = new Set(offsetsOf(entry.rejected))
      for (const offset of offsetsOf(entry.covered)) {
        if (settled.has(offset)) faults.push(`${nameOf(entry)} settles offset ${offset}, which was settled before`)
        const [into, from] = refused.has(offset) ? [rejected, settled] : [settled, rejected]
        into.add(offset)
        from.delete(offset)
      }
    }
  }
  const astray = commits.size + amendments.size - entries.length
  if (astray > 0) faults.push(`${astray} amendments belong to no commit or come behind a missing one`)
  return { entries, settled, rejected, faults }
}

export function nameOf({ kind, start, amends, number }: LogEntry): string {
  return kind === 'commit' ? `commit ${start}` : `amendment ${amends}.${number}`
}

export function offsetsOf(ranges: LogEntry['covered']): number[] {
  const offsets: number[] = []
  for (const [first, last] of ranges) for (let offset = first; offset <= last; offset++) offsets.push(offset)
  return offsets
}

async function readAll(store: ObjectStore, prefix: string): Promise<Map<string, LogEntry>> {
  const entries = new Map<string, LogEntry>()
  for await (const { key } of store.list(prefix)) {
    const body = await store.get(key)
    if (body !== undefined) entries.set(key, JSON.parse(Buffer.from(body).toString()) as LogEntry)
  }
  return entries
}
