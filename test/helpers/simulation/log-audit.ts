import { entryFaults, isSeal, type LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, amendmentsPrefix, commitKey, commitsPrefix } from '#shared/lake/log-keys.ts'
import type { SortedObjects } from '../memory-store.ts'

/** A log read from one end to the other, and what is wrong with it. */
export interface LogAudit {
  /** Commits in the order of the chain, each followed by its amendments; a seal is the last. */
  readonly entries: readonly LogEntry[]
  /** The entry with the last verdict on each offset: "a row, or a counted skip", or "rejected". */
  readonly settled: ReadonlyMap<number, LogEntry>
  readonly rejected: ReadonlyMap<number, LogEntry>
  readonly faults: readonly string[]
}

/** Reads what is there and judges it by what a log has to be: none of the code that writes or follows logs is used. */
export function auditLog(objects: SortedObjects, prefix: string): LogAudit {
  const commits = readAll(objects, commitsPrefix(prefix))
  const amendments = readAll(objects, amendmentsPrefix(prefix))
  const entries: LogEntry[] = []
  const settled = new Map<number, LogEntry>()
  const rejected = new Map<number, LogEntry>()
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
      for (const fault of entryFaults(entry)) faults.push(`${nameOf(entry)}: ${fault}`)
      if (entry.start < commit.start || entry.end > commit.end) faults.push(`${nameOf(entry)} leaves its commit`)
      const refused = new Set(offsetsOf(entry.rejected))
      for (const offset of offsetsOf(entry.covered)) {
        if (settled.has(offset)) faults.push(`${nameOf(entry)} settles offset ${offset}, which was settled before`)
        const [into, from] = refused.has(offset) ? [rejected, settled] : [settled, rejected]
        into.set(offset, entry)
        from.delete(offset)
      }
    }
  }
  const astray = commits.size + amendments.size - entries.length
  if (astray > 0) faults.push(`${astray} amendments belong to no commit or come behind a missing one`)
  return { entries, settled, rejected, faults }
}

export function nameOf(entry: LogEntry): string {
  if (isSeal(entry)) return `the seal at ${entry.start}`
  return entry.kind === 'commit' ? `commit ${entry.start}` : `amendment ${entry.amends}.${entry.number}`
}

export function offsetsOf(ranges: LogEntry['covered']): number[] {
  const offsets: number[] = []
  for (const [first, last] of ranges) for (let offset = first; offset <= last; offset++) offsets.push(offset)
  return offsets
}

function readAll(objects: SortedObjects, prefix: string): Map<string, LogEntry> {
  const entries = new Map<string, LogEntry>()
  for (const { key } of objects.page(prefix, undefined, Number.POSITIVE_INFINITY).entries) {
    const body = objects.get(key)
    if (body !== undefined) entries.set(key, entryIn(body))
  }
  return entries
}

/** What was read once need not be taken apart again: the bytes of an object do not change. */
function entryIn(body: Uint8Array): LogEntry {
  const entry = read.get(body) ?? (JSON.parse(Buffer.from(body).toString()) as LogEntry)
  read.set(body, entry)
  return entry
}

const read = new WeakMap<Uint8Array, LogEntry>()
