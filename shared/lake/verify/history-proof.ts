import { pMapIterable } from 'p-map'
import { decodeEntry, isSeal, type LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, commitKey } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { entryProof, type Proving } from './entry-proof.ts'
import { emptyTally, type Fault, type Tally } from './findings.ts'
import type { HistoryPlace, ListedLog } from './histories.ts'
import { Settlement } from './settlement.ts'

/** Amendments of one commit that are read at a time. */
const AMENDMENTS_AT_A_TIME = 4

/** What is proven of a commit and its amendments. */
export interface HistoryProof {
  readonly log: ListedLog
  /** The first and the last offset of the commit; null when it is missing or cannot be read. */
  readonly range: { readonly start: number; readonly end: number; readonly isSeal: boolean } | null
  readonly tally: Readonly<Tally>
  readonly faults: readonly Fault[]
}

/** Proves a commit with its amendments: each by itself, and that together they settle every offset once. */
export async function historyProof(place: HistoryPlace, proving: Proving): Promise<HistoryProof> {
  const { log, start, hasCommit } = place
  const prove = (key: string): Promise<ProvenEntry> => provenEntry(key, log, proving)
  const keyOf = (number: number): string => amendmentKey(log.prefix, start, number)
  const commit = hasCommit ? await prove(commitKey(log.prefix, start)) : undefined
  const amendments = pMapIterable(place.amendments, (number) => prove(keyOf(number)), {
    concurrency: AMENDMENTS_AT_A_TIME,
  })

  const tally = emptyTally()
  if (commit?.entry !== undefined) count(tally, commit.entry)
  const settlement = commit?.entry === undefined ? undefined : new Settlement(commit.entry)
  const faults: Fault[] = [...(commit?.faults ?? []), ...missingAmendments(place.amendments, keyOf)]
  for await (const { key: object, entry, faults: own } of amendments) {
    faults.push(...own)
    if (!hasCommit) faults.push({ object, fault: 'amends a commit that is missing' })
    if (entry === undefined) continue
    count(tally, entry)
    faults.push(...(settlement?.take(entry) ?? []).map((fault) => ({ object, fault })))
  }

  if (commit?.entry === undefined || settlement === undefined) return { log, range: null, tally, faults }
  tally.counts.records = settlement.records
  tally.counts.rejected = settlement.openDeadLetters
  tally.resolvedDeadLetters = settlement.resolvedDeadLetters
  tally.gaps = settlement.gaps
  tally.offsets = settlement.offsets
  return { log, range: { start, end: commit.entry.end, isSeal: isSeal(commit.entry) }, tally, faults }
}

/** What may simply be added up: what was written or skipped stays so. */
function count(tally: Tally, { kind, files, counts }: LogEntry): void {
  if (kind !== 'seal') tally[kind === 'commit' ? 'commits' : 'amendments'] += 1
  tally.files += files.length
  for (const { bytes } of files) tally.bytes += bytes
  for (const part of ['written', 'skipped', 'rows'] as const) tally.counts[part] += counts[part]
}

/** Amendments are numbered from 0 without a hole. */
function missingAmendments(numbers: readonly number[], keyOf: (number: number) => string): Fault[] {
  const at = numbers.findIndex((number, i) => number !== i)
  if (at === -1) return []
  return [{ object: keyOf(at), fault: `is missing, but there is amendment ${numbers[at]}` }]
}

interface ProvenEntry {
  readonly key: string
  /** Undefined when it cannot be read. */
  readonly entry: LogEntry | undefined
  readonly faults: readonly Fault[]
}

async function provenEntry(key: string, log: ListedLog, proving: Proving): Promise<ProvenEntry> {
  const entry = await readEntry(proving.store, key, log.prefix)
  return typeof entry === 'string'
    ? { key, entry: undefined, faults: [{ object: key, fault: entry }] }
    : { key, entry, faults: await entryProof(entry, key, log, proving) }
}

/** An entry that is really the one of its key, or what is wrong with it. */
async function readEntry(store: ObjectStore, key: string, log: string): Promise<LogEntry | string> {
  const body = await store.get(key)
  if (body === undefined) return 'was listed but cannot be read: commits are never deleted'
  let entry: LogEntry
  try {
    entry = decodeEntry(key, body)
  } catch (error) {
    if (!(error instanceof InletError) || error.code !== 'LOG_CORRUPT') throw error
    return error.message.replace(key, '').replace(/^[: ]+/, '')
  }
  const { kind, start, amends, number } = entry
  const own = amends === null ? commitKey(log, start) : amendmentKey(log, amends, number)
  if (own === key && (kind === 'amendment') === (amends !== null)) return entry
  return `holds the ${kind} of ${own}: the commit log was changed by something else`
}
