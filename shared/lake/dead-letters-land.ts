import { type DataFile, inRanges, rangesSize, type SliceLog, type WriteSlice } from '#shared/pipeline/commit.ts'
import { type DeadLetter, readDeadLetters } from '#shared/pipeline/dead-letter-file.ts'
import { asInletError, InletError } from '#shared/pipeline/errors.ts'
import { landSlice, type SliceReport } from '#shared/pipeline/process-batch.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { CommitDeadLetters, EntryDeadLetters } from './dead-letters.ts'
import type { LogId } from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'

/** What one landing takes at the most: it is in memory as a whole, its rows and files too. */
const MAX_RECORDS = 5000
const MAX_BYTES = 4_000_000

/** Whether a dead letter is meant. */
export type DeadLetterChoice = (letter: DeadLetter, file: DataFile) => boolean

/** Those that were refused with a code, for a field; each one that is left out means any. */
export function lettersWith(wanted: {
  readonly code?: string | undefined
  readonly field?: string | undefined
}): DeadLetterChoice {
  return ({ code, field }) => (wanted.code ?? code) === code && (wanted.field ?? field) === field
}

/** What dead letters of one log land with. */
export interface DeadLetterLanding {
  readonly store: ObjectStore
  readonly id: LogId
  readonly target: SliceLog
  readonly write: WriteSlice
  readonly isMeant: DeadLetterChoice
  readonly signal: AbortSignal
}

/** What became of the dead letters of one commit. */
export interface LandedCommit {
  /** The start of the commit. */
  readonly commit: number
  /** One for each landing. */
  readonly reports: readonly SliceReport[]
  /** Whether there was time for all of them. */
  readonly isDone: boolean
}

/** Lands the open dead letters of one commit again, one landing after another: they would race for the same amendment. */
export async function landDeadLetters(
  { commit, entries }: CommitDeadLetters,
  { store, id, target, write, isMeant, signal }: DeadLetterLanding,
): Promise<LandedCommit> {
  const reports: SliceReport[] = []
  if (signal.aborted) return { commit, reports, isDone: false }
  for (const entry of entries.filter(({ open }) => open.length > 0)) {
    let records: KafkaRecord[]
    try {
      records = await openRecords(store, entry, isMeant)
    } catch (error) {
      reports.push(unreadable(entry, id, asInletError(error, 'reading dead letters')))
      continue
    }
    for (const piece of inPieces(records)) {
      const report = await landSlice({ topic: id.topic, partition: id.partition, records: piece }, target, write)
      if (report.error?.code === 'DEADLINE_NEAR') return { commit, reports, isDone: false }
      reports.push(report)
    }
  }
  return { commit, reports, isDone: true }
}

/**
 * The records of an entry's open dead letters that are meant, in offset order. All of an entry's are in memory at once: no
 * more than one delivery, or one landing here, had brought.
 * @throws InletError LOG_CORRUPT when its files do not hold what it says
 */
async function openRecords(
  store: ObjectStore,
  { files, open }: EntryDeadLetters,
  isMeant: DeadLetterChoice,
): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = []
  let found = 0
  for (const file of files) {
    for (const letter of await lettersIn(store, file)) {
      if (!inRanges(letter.record.offset, open)) continue
      found += 1
      if (isMeant(letter, file)) records.push(letter.record)
    }
  }
  if (found !== rangesSize(open))
    throw new InletError(
      'LOG_CORRUPT',
      `the log names ${rangesSize(open)} open dead letters from offset ${open[0]?.[0]}, but their files hold ${found}: ${files.map(({ path }) => path).join(', ') || 'none'}`,
    )
  return records.sort((a, b) => a.offset - b.offset)
}

async function lettersIn(store: ObjectStore, { path }: DataFile): Promise<DeadLetter[]> {
  const body = await store.get(path)
  if (body === undefined)
    throw new InletError('LOG_CORRUPT', `${path} is missing, but a commit names it; "verify" says what else is wrong`)
  try {
    return await readDeadLetters(body)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InletError('LOG_CORRUPT', `${path} cannot be read as dead letters: ${reason}`, { cause: error })
  }
}

function* inPieces(records: readonly KafkaRecord[]): Iterable<KafkaRecord[]> {
  let piece: KafkaRecord[] = []
  let bytes = 0
  for (const record of records) {
    const size = bytesOf(record)
    if (piece.length === MAX_RECORDS || (piece.length > 0 && bytes + size > MAX_BYTES)) {
      yield piece
      piece = []
      bytes = 0
    }
    piece.push(record)
    bytes += size
  }
  if (piece.length > 0) yield piece
}

function bytesOf({ key, value, headers }: KafkaRecord): number {
  const inHeaders = headers.reduce((sum, header) => sum + header.name.length + header.value.length, 0)
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders
}

function unreadable({ open }: EntryDeadLetters, { topic, partition }: LogId, error: InletError): SliceReport {
  return {
    topic,
    partition,
    firstOffset: open[0]?.[0] ?? -1,
    lastOffset: open.at(-1)?.[1] ?? -1,
    records: rangesSize(open),
    known: 0,
    commits: [],
    written: 0,
    skipped: 0,
    rejected: 0,
    rows: 0,
    files: 0,
    bytes: 0,
    error,
  }
}
