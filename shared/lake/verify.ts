import { createHash } from 'node:crypto'
import { countRows } from '#shared/formats/row-count.ts'
import { type DataFile, inRanges } from '#shared/pipeline/commit.ts'
import type { Counts } from '#shared/pipeline/outcome.ts'
import { entryFaults, type LogEntry } from './log-entry.ts'
import { amendmentKey, commitKey, dataPrefix, logPrefix, TABLES_ROOT } from './log-keys.ts'
import { type LogStore, logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'

/** Something that is wrong with a lake: which object, and what. */
export interface Fault {
  readonly object: string
  readonly fault: string
}

export interface Verification {
  readonly logs: number
  readonly commits: number
  readonly amendments: number
  readonly files: number
  readonly bytes: number
  /** Sums over all commits and amendments. */
  readonly counts: Counts
  /** Offsets within commits that no delivery has brought: compacted, filtered, or waiting elsewhere. No fault. */
  readonly gaps: number
  readonly faults: readonly Fault[]
  /** Data files that no commit names: left by crashes and lost races, seen by no reader of the log. No fault. */
  readonly orphans: readonly { readonly path: string; readonly bytes: number }[]
}

export interface VerifyOptions {
  /** Reads every data file and compares its checksum and row count. */
  readonly deep: boolean
  /** Called with the number of data files that there are, and after each one that is checked. */
  readonly onFiles?: (total: number) => void
  readonly onFile?: () => void
}

/** Checks the commit logs of a lake against themselves and against the data files. */
export async function verifyLake(store: ObjectStore, options: VerifyOptions): Promise<Verification> {
  const present = await presentFiles(store)
  options.onFiles?.(present.size)
  const faults: Fault[] = []
  const named = new Set<string>()
  const sum = { records: 0, written: 0, skipped: 0, rejected: 0, rows: 0 }
  let [logs, commits, amendments, bytes, gaps] = [0, 0, 0, 0, 0]

  const take = async (entry: LogEntry, key: string): Promise<void> => {
    for (const fault of entryFaults(entry)) faults.push({ object: key, fault })
    for (const count of ['records', 'written', 'skipped', 'rejected', 'rows'] as const)
      sum[count] += entry.counts[count]
    for (const file of entry.files) {
      if (named.has(file.path)) faults.push({ object: file.path, fault: `is named twice, the second time by ${key}` })
      named.add(file.path)
      bytes += file.bytes
      const fault = await fileFault(store, file, present.get(file.path), options.deep)
      if (fault !== undefined) faults.push({ object: file.path, fault: `${fault} (named by ${key})` })
      options.onFile?.()
    }
  }

  for await (const { id, log } of logsOf(store)) {
    logs += 1
    const prefix = logPrefix(id)
    // Newest first: each commit must end directly before the one that was read before it.
    let next: LogEntry | undefined
    for await (const commit of log.commits()) {
      commits += 1
      const key = commitKey(prefix, commit.start)
      if (next !== undefined && commit.end + 1 !== next.start)
        faults.push(chainFault(prefix, commit.end + 1, next.start))
      await take(commit, key)
      const settled = await takeAmendments(log, prefix, commit, take, faults)
      amendments += settled.amendments
      gaps += commit.end - commit.start + 1 - commit.counts.records - settled.filled
      next = commit
    }
    if (next !== undefined && next.start !== 0) faults.push(chainFault(prefix, 0, next.start))
    for await (const { amends, number, start } of log.amendments()) {
      if ((await log.commitAt(amends ?? start)) === undefined)
        faults.push({ object: amendmentKey(prefix, amends ?? start, number), fault: 'amends a commit that is missing' })
    }
  }
  const orphans = [...present].flatMap(([path, size]) => (named.has(path) ? [] : [{ path, bytes: size }]))
  return { logs, commits, amendments, files: named.size, bytes, counts: sum, gaps, faults, orphans }
}

/** The data files that there are, with their sizes. */
async function presentFiles(store: ObjectStore): Promise<Map<string, number>> {
  const present = new Map<string, number>()
  for await (const { key, bytes } of store.list(TABLES_ROOT)) {
    if (key.includes('/data/')) present.set(key, bytes)
  }
  return present
}

/** An amendment settles gaps, or records whose verdict was "rejected"; each offset must have been one or the other. */
async function takeAmendments(
  log: LogStore,
  prefix: string,
  commit: LogEntry,
  take: (entry: LogEntry, key: string) => Promise<void>,
  faults: Fault[],
): Promise<{ amendments: number; filled: number }> {
  const before: LogEntry[] = [commit]
  let filled = 0
  for (const amendment of await log.amendmentsOf(commit.start)) {
    const key = amendmentKey(prefix, commit.start, amendment.number)
    for (const [first, last] of amendment.covered) {
      if (first < commit.start || last > commit.end)
        faults.push({
          object: key,
          fault: `covers ${first}…${last}, outside the commit's ${commit.start}…${commit.end}`,
        })
      for (let offset = first; offset <= last; offset++) {
        const verdict = before.findLast((entry) => inRanges(offset, entry.covered))
        if (verdict === undefined) filled += 1
        else if (!inRanges(offset, verdict.rejected))
          faults.push({ object: key, fault: `covers offset ${offset}, which was in the lake already` })
      }
    }
    await take(amendment, key)
    before.push(amendment)
  }
  return { amendments: before.length - 1, filled }
}

function chainFault(prefix: string, from: number, to: number): Fault {
  const fault =
    from < to
      ? `the chain has a hole: no commit covers the offsets ${from}…${to - 1}`
      : `the chain overlaps: two commits cover the offsets ${to}…${from - 1}`
  return { object: `${prefix}commits/`, fault }
}

async function fileFault(
  store: ObjectStore,
  file: DataFile,
  listed: number | undefined,
  deep: boolean,
): Promise<string | undefined> {
  if (!file.path.startsWith(dataPrefix(file.table))) return `lies outside its table's ${dataPrefix(file.table)}`
  // A file that was written after the listing is not in it.
  const size = listed ?? (await store.size(file.path))
  if (size === undefined) return 'is missing'
  if (size !== file.bytes) return `has ${size} bytes, not ${file.bytes}`
  if (!deep) return undefined
  const body = await store.get(file.path)
  if (body === undefined) return 'is missing'
  if (createHash('sha256').update(body).digest('hex') !== file.sha256)
    return 'has another checksum: its bytes were changed'
  const rows = countRows(file.path, body)
  return rows === file.rows ? undefined : `holds ${rows} rows, not ${file.rows}`
}
