import { createHash } from 'node:crypto'
import pMap from 'p-map'
import { entryFaults, type LogEntry } from '#shared/lake/log-entry.ts'
import { dataPrefix, type EntryPlace, parseDataFileKey } from '#shared/lake/log-keys.ts'
import { keyFault, type ObjectStore } from '#shared/lake/object-store.ts'
import { placeInTableBucket } from '#shared/lake/table-bucket.ts'
import { type DataFile, rangesSize } from '#shared/pipeline/commit.ts'
import { isDeadLetterTable } from '#shared/pipeline/dead-letter-name.ts'
import type { ByteGate } from './byte-gate.ts'
import { EntryRows } from './entry-rows.ts'
import type { Checks, Fault } from './findings.ts'
import type { ListedLog } from './histories.ts'
import { united, without } from './offset-ranges.ts'
import type { PresentFiles } from './present-files.ts'

/** Data files of one entry that are read at a time. */
const FILES_AT_A_TIME = 8
/** What the position of a row takes while its file is read, in all its forms. */
const ROW_BYTES = 128

/** What entries are proven with and against. */
export interface Proving {
  readonly store: ObjectStore
  readonly present: PresentFiles
  /** Whether data files are read, or only looked for. */
  readonly deep: boolean
  /** Bounds what the files that are read at a time take. */
  readonly gate: ByteGate
  readonly checks: Checks
  /** Whether another engine has replaced a file, so that it may be gone. */
  readonly isReplaced: (path: string) => boolean
  /** Called after each data file. */
  readonly onFile: () => void
}

/** Proves an entry by itself: what it says of offsets, its data files and, if they are read, their rows. */
export async function entryProof(entry: LogEntry, key: string, log: ListedLog, proving: Proving): Promise<Fault[]> {
  const faults = [...entryFaults(entry), ...rangeFaults(entry), ...countFaults(entry)].map((fault) => ({
    object: key,
    fault,
  }))
  const rows = proving.deep ? new EntryRows(entry, log.id) : undefined
  const proveFile = async (file: DataFile): Promise<Fault[]> => {
    const found = await fileFaults(file, placeFault(file, entry, log), rows, proving)
    proving.onFile()
    return found.map((fault) => ({ object: file.path, fault: `${fault} (named by ${key})` }))
  }
  const ofFiles = (await pMap(entry.files, proveFile, { concurrency: FILES_AT_A_TIME })).flat()
  faults.push(...ofFiles, ...repeated(entry.files).map((object) => ({ object, fault: `is named twice by ${key}` })))
  // Without all of the files, each record of the missing ones would be found lost.
  if (rows !== undefined && ofFiles.length === 0 && !entry.files.some(({ path }) => proving.isReplaced(path)))
    faults.push(...rows.balance().map((fault) => ({ object: key, fault })))
  return faults
}

function rangeFaults({ kind, start, covered, rejected }: LogEntry): string[] {
  const faults = without(united(rejected), united(covered)).map(
    ([first, last]) => `rejects ${first}…${last}, which it does not cover`,
  )
  if (rangesSize(united(rejected)) !== rangesSize(rejected)) faults.push('rejects an offset twice')
  if (kind === 'amendment' && covered[0]?.[0] !== start)
    faults.push(`its first covered offset is ${covered[0]?.[0]}, not its start ${start}`)
  return faults
}

function countFaults({ files, counts }: LogEntry): string[] {
  const deadLetters = files.filter(({ table }) => isDeadLetterTable(table)).reduce((sum, { rows }) => sum + rows, 0)
  return deadLetters === counts.rejected ? [] : [`its files hold ${deadLetters} dead letters, not ${counts.rejected}`]
}

/** A file is named by the entry that it was written for, as its name says, so that no two entries can name the same. */
function placeFault(file: DataFile, { amends, number, start }: LogEntry, log: ListedLog): string | undefined {
  const elsewhere = placeInTableBucket(file.path)
  const folder = elsewhere === undefined ? dataPrefix(file.table) : 'data/'
  if (!(elsewhere?.key ?? file.path).startsWith(folder)) return `lies outside its table's ${folder}`
  const written = parseDataFileKey(file.path)
  if (written === undefined) return 'has a name that no data file has'
  if (written.log !== log.digest) return 'was written for another log'
  const own: EntryPlace = amends === null ? { kind: 'commit', start } : { kind: 'amendment', amends, number }
  return placeName(written.place) === placeName(own) ? undefined : `was written for ${placeName(written.place)}`
}

function placeName(place: EntryPlace): string {
  return place.kind === 'commit'
    ? `the commit at ${place.start}`
    : `amendment ${place.number} of the commit at ${place.amends}`
}

async function fileFaults(
  file: DataFile,
  misplaced: string | undefined,
  rows: EntryRows | undefined,
  { store, present, gate, checks, isReplaced }: Proving,
): Promise<string[]> {
  const invalid = keyFault(placeInTableBucket(file.path)?.key ?? file.path)
  if (invalid !== undefined) return [`is no key: ${invalid}`]
  const size = await present.name(file.path, file.bytes)
  if (misplaced !== undefined) return [misplaced]
  if (size === undefined && isReplaced(file.path)) {
    checks.replaced += 1
    return []
  }
  if (size === undefined) return ['is missing']
  if (size !== file.bytes) return [`has ${size} bytes, not ${file.bytes}`]
  checks.files += 1
  if (rows === undefined) return []
  return gate.pass(2 * file.bytes + ROW_BYTES * file.rows, async () => {
    const body = await store.get(file.path)
    if (body === undefined) return ['is missing']
    if (createHash('sha256').update(body).digest('hex') !== file.sha256)
      return ['has another checksum: its bytes were changed']
    checks.checksums += 1
    const faults = await rows.enter(file, body)
    if (faults.length === 0) checks[isDeadLetterTable(file.table) ? 'deadLetters' : 'rows'] += file.rows
    return faults
  })
}

/** The paths that occur again. */
function repeated(files: readonly DataFile[]): string[] {
  const paths = new Set<string>()
  return files.map(({ path }) => path).filter((path) => paths.size === paths.add(path).size)
}
