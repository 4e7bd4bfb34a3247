import * as z from 'zod'
import {
  inRanges,
  type OffsetRange,
  rangesOf,
  rangesSize,
  type ScoreCounts,
  type SliceContent,
} from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'
import { type EntryPlace, MAX_OFFSET } from './log-keys.ts'

const Offset = z.int().min(0)
const Range = z.tuple([Offset, Offset]).readonly()
const Count = z.int().min(0)

const Bound = z.base64().nullable()
const Statistics = z
  .strictObject({
    splits: z.array(Count).readonly(),
    fields: z.array(z.tuple([Count, Count, Count, Count, Count.nullable(), Bound, Bound]).readonly()).readonly(),
  })
  .readonly()

const Reasons = z.record(z.string(), Count).readonly()
/** Missing where the pipeline has no scores. See `ScoreCounts`. */
const Scores = z
  .record(
    z.string(),
    z
      .strictObject({ scored: Count, unscored: Reasons, waiting: Reasons, deferred: z.array(Range).readonly() })
      .readonly(),
  )
  .readonly()

const Entry = z.strictObject({
  format: z.literal(1),
  /** A seal is the last commit of an epoch: it covers nothing, and no commit can follow it. */
  kind: z.enum(['commit', 'amendment', 'seal']),
  /** A commit: the previous commit's end + 1. An amendment: its first offset. */
  start: Offset,
  /** The last offset. */
  end: Offset,
  /** An amendment: the start of the commit it amends, and its number among that commit's amendments. */
  amends: Offset.nullable(),
  number: Count,
  /** The offsets that were delivered; every other one between start and end is a gap. */
  covered: z.array(Range).readonly(),
  /** The covered offsets whose records became dead letters. */
  rejected: z.array(Range).readonly(),
  files: z
    .array(
      z
        .strictObject({
          table: z.string(),
          path: z.string(),
          partition: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).readonly(),
          rows: Count,
          bytes: Count,
          sha256: z.string(),
          spec: Count.exactOptional(),
          statistics: Statistics.exactOptional(),
        })
        .readonly(),
    )
    .readonly(),
  counts: z.strictObject({ records: Count, written: Count, skipped: Count, rejected: Count, rows: Count }).readonly(),
  pipelineVersion: z.string(),
  schemaId: z.string(),
  specId: z.string(),
  watermark: z.number().nullable(),
  scores: Scores.exactOptional(),
  /** Null in a seal, which has no records. */
  fingerprint: z
    .strictObject({ minTimestamp: z.number(), maxTimestamp: z.number(), first: z.string(), last: z.string() })
    .readonly()
    .nullable(),
  /** Unique to the attempt that wrote it: tells a client's retry of its own put from a lost race. */
  attempt: z.string(),
})

/** A commit, an amendment or a seal: the write-once object that makes records part of the lake, or ends the log. */
export type LogEntry = Readonly<z.output<typeof Entry>>

/** Which records an entry is of, when they are no longer at hand. */
export interface Extent {
  /** Their offsets. */
  readonly covered: readonly OffsetRange[]
  readonly fingerprint: Fingerprint
}

/** The entry that says what became of some records, in offset order. */
export function entryOf(
  place: EntryPlace,
  records: readonly KafkaRecord[],
  content: SliceContent,
  attempt: string,
): LogEntry {
  const covered = rangesOf(records.map(({ offset }) => offset))
  return entryOfExtent(place, { covered, fingerprint: fingerprintOf(records) }, content, attempt)
}

/** The same of records that a writer has made files of as they came. */
export function entryOfExtent(
  place: EntryPlace,
  { covered, fingerprint }: Extent,
  content: SliceContent,
  attempt: string,
): LogEntry {
  const [first] = covered as [OffsetRange, ...OffsetRange[]]
  return {
    format: 1,
    kind: place.kind,
    start: place.kind === 'commit' ? place.start : first[0],
    end: (covered.at(-1) as OffsetRange)[1],
    amends: place.kind === 'amendment' ? place.amends : null,
    number: place.kind === 'amendment' ? place.number : 0,
    covered,
    rejected: rangesOf(content.rejected),
    files: content.files,
    counts: content.counts,
    pipelineVersion: content.pipelineVersion,
    schemaId: content.schemaId,
    specId: content.specId,
    watermark: content.watermark,
    ...(content.scores === undefined ? {} : { scores: content.scores }),
    fingerprint,
    attempt,
  }
}

/** The entry that ends a log: a commit of no records that reaches from an offset to the last one there can be. */
export function sealOf(start: number, attempt: string): LogEntry {
  return {
    format: 1,
    kind: 'seal',
    start,
    end: MAX_OFFSET - 1,
    amends: null,
    number: 0,
    covered: [],
    rejected: [],
    files: [],
    counts: { records: 0, written: 0, skipped: 0, rejected: 0, rows: 0 },
    pipelineVersion: '',
    schemaId: '',
    specId: '',
    watermark: null,
    fingerprint: null,
    attempt,
  }
}

/** Whether rows of it wait for a score. */
export function defersScores({ scores = {} }: Pick<SliceContent, 'scores'>): boolean {
  return Object.values(scores).some(({ deferred }) => deferred.length > 0)
}

export function isSeal(entry: LogEntry): boolean {
  return entry.kind === 'seal'
}

/** The last offset that a log reaches whose chain ends with this entry. */
export function lastOffsetOf(newest: LogEntry): number {
  return isSeal(newest) ? newest.start - 1 : newest.end
}

export function encodeEntry(entry: LogEntry): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(entry)}\n`)
}

/** @throws InletError LOG_CORRUPT when the bytes are not an entry that this version wrote. */
export function decodeEntry(key: string, body: Uint8Array): LogEntry {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new InletError('LOG_CORRUPT', `${key} is not JSON: the commit log was changed by something else`, {
      cause: error,
    })
  }
  const parsed = Entry.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new InletError(
      'LOG_CORRUPT',
      `${key}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a log entry'}`,
    )
  }
  return parsed.data
}

/** @returns what contradicts itself within one entry; empty when all is right */
export function entryFaults(entry: LogEntry): string[] {
  const faults: string[] = []
  const { covered, rejected, counts, start, end } = entry
  let before = start - 1
  for (const [first, last] of covered) {
    if (first <= before || last < first) faults.push(`offset range ${first}…${last} overlaps or is out of order`)
    before = last
  }
  if (isSeal(entry)) {
    if (covered.length > 0 || end !== MAX_OFFSET - 1) faults.push(`a seal covers nothing and ends at ${MAX_OFFSET - 1}`)
  } else if (before !== end) faults.push(`its last covered offset is ${before}, not its end ${end}`)
  if (rangesSize(covered) !== counts.records)
    faults.push(`it covers ${rangesSize(covered)} offsets but counts ${counts.records} records`)
  if (rangesSize(rejected) !== counts.rejected)
    faults.push(`it lists ${rangesSize(rejected)} rejected offsets but counts ${counts.rejected}`)
  if (counts.written + counts.skipped + counts.rejected !== counts.records)
    faults.push(
      `written ${counts.written} + skipped ${counts.skipped} + rejected ${counts.rejected} is not ${counts.records} records`,
    )
  const rows = entry.files.reduce((sum, file) => sum + file.rows, 0)
  if (rows !== counts.rows + counts.rejected)
    faults.push(`its files hold ${rows} rows, not ${counts.rows} and ${counts.rejected} dead letters`)
  for (const [name, score] of Object.entries(entry.scores ?? {})) faults.push(...scoreFaults(name, score, entry))
  return faults
}

function scoreFaults(name: string, { scored, unscored, waiting, deferred }: ScoreCounts, entry: LogEntry): string[] {
  const faults: string[] = []
  const rowsOf = (reasons: Readonly<Record<string, number>>): number =>
    Object.values(reasons).reduce((sum, rows) => sum + rows, 0)
  const rows = scored + rowsOf(unscored) + rowsOf(waiting)
  if (rows > entry.counts.rows) faults.push(`its score ${name} is of ${rows} rows, and it has ${entry.counts.rows}`)
  if (rangesSize(deferred) > rowsOf(waiting) || (deferred.length === 0) !== (rowsOf(waiting) === 0))
    faults.push(`its score ${name} defers ${rangesSize(deferred)} records, and ${rowsOf(waiting)} rows wait`)
  const landed = (offset: number): boolean => inRanges(offset, entry.covered) && !inRanges(offset, entry.rejected)
  for (const [first, last] of deferred)
    if (first > last || !landed(first) || !landed(last))
      faults.push(`its score ${name} defers offsets ${first}…${last}, of which it has no rows`)
  return faults
}
