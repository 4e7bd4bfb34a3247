import { createHash } from 'node:crypto'
import { InletError } from '#shared/pipeline/errors.ts'
import { type KafkaRecord, positionOf } from '#shared/pipeline/record.ts'

/** Enough about some records to tell whether a record delivered later at one of their offsets can be the same one. */
export interface Fingerprint {
  /** Least and greatest Kafka timestamp, in milliseconds. */
  readonly minTimestamp: number
  readonly maxTimestamp: number
  /** Digests of the first and the last record. */
  readonly first: string
  readonly last: string
}

/** How much younger than the records around it a record for a gap may be. */
export const GAP_SKEW_MS = 24 * 60 * 60 * 1000

/** @param records at least one, in offset order */
export function fingerprintOf(records: readonly KafkaRecord[]): Fingerprint {
  let minTimestamp = Number.POSITIVE_INFINITY
  let maxTimestamp = Number.NEGATIVE_INFINITY
  for (const { timestamp } of records) {
    if (timestamp < minTimestamp) minTimestamp = timestamp
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
  }
  const first = digestOf(records[0] as KafkaRecord)
  const last = digestOf(records.at(-1) as KafkaRecord)
  return { minTimestamp, maxTimestamp, first, last }
}

/** The fingerprint of some records and of those behind them. */
export function joinedFingerprint(before: Fingerprint, behind: Fingerprint): Fingerprint {
  return {
    minTimestamp: Math.min(before.minTimestamp, behind.minTimestamp),
    maxTimestamp: Math.max(before.maxTimestamp, behind.maxTimestamp),
    first: before.first,
    last: behind.last,
  }
}

interface Fingerprinted {
  readonly covered: readonly (readonly [number, number])[]
  /** Null in a seal. */
  readonly fingerprint: Fingerprint | null
}

/**
 * Checks a record that a commit or amendment covers already.
 * @param wayOut what to do when the offsets have started again
 * @throws InletError OFFSETS_RESTARTED when it cannot be the record that was landed at its offset.
 */
export function requireSameRecord(record: KafkaRecord, entry: Fingerprinted, wayOut: string): void {
  if (entry.fingerprint === null) return
  const { minTimestamp, maxTimestamp, first, last } = entry.fingerprint
  if (record.timestamp < minTimestamp || record.timestamp > maxTimestamp)
    throw restarted(
      record,
      `its timestamp is not between ${iso(minTimestamp)} and ${iso(maxTimestamp)}, as theirs are`,
      wayOut,
    )
  const isFirst = record.offset === entry.covered[0]?.[0]
  const isLast = record.offset === entry.covered.at(-1)?.[1]
  if ((isFirst && digestOf(record) !== first) || (isLast && digestOf(record) !== last))
    throw restarted(
      record,
      'its timestamp, key or value is not that of the record which was landed at this offset',
      wayOut,
    )
}

/**
 * Checks a record that is to fill a gap of a commit.
 * @param wayOut what to do when the offsets have started again
 * @throws InletError OFFSETS_RESTARTED when it is more than a day younger than the records around it.
 */
export function requireFitsGap(record: KafkaRecord, commit: Fingerprinted, wayOut: string): void {
  if (commit.fingerprint === null) return
  const { maxTimestamp } = commit.fingerprint
  if (record.timestamp > maxTimestamp + GAP_SKEW_MS)
    throw restarted(
      record,
      `it is more than a day younger than the records around it, the last of ${iso(maxTimestamp)}`,
      wayOut,
    )
}

/**
 * Checks that a topic reaches as far as what has landed of it.
 * @param last the last record that has landed
 * @param end the offset that the topic's next record will have
 * @throws InletError OFFSETS_RESTARTED when it does not
 */
export function requireReached(last: Position, end: number, wayOut: string): void {
  if (end <= last.offset) throw restarted(last, `the topic ends before it, at ${end}`, wayOut)
}

type Position = Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>

function restarted(record: Position, reason: string, wayOut: string): InletError {
  return new InletError(
    'OFFSETS_RESTARTED',
    `${positionOf(record)} is not the record that the lake knows at this offset: ${reason}. ` +
      `If the topic was re-created or the cluster replaced, its offsets need an epoch of their own: ${wayOut}`,
  )
}

/** Digest of timestamp, key and value; null and empty differ. */
function digestOf({ timestamp, key, value }: KafkaRecord): string {
  const hash = createHash('sha256').update(`${timestamp}\n`)
  for (const bytes of [key, value]) {
    hash.update(`${bytes === null ? -1 : bytes.length}\n`)
    if (bytes !== null) hash.update(bytes)
  }
  return hash.digest('hex').slice(0, 16)
}

function iso(timestamp: number): string {
  const date = new Date(timestamp)
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString()
}
