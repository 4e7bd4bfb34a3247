/**
 * The proof of an Iceberg table against the logs that fill it: the files of its current snapshot are those of the entries
 * that its marks count, each once. What other engines have done since is told from their snapshots: who compacts keeps every
 * row, which is traced to its record when files are read; who deletes or overwrites means to change them, and what is missing
 * then is no fault.
 */
import { InletError } from '#shared/pipeline/errors.ts'
import { LocatedStore } from '#shared/lake/iceberg/located-store.ts'
import type { OpenCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { ancestry } from '#shared/lake/iceberg/snapshot.ts'
import { liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { generationPrefix, parseDataFileKey } from '#shared/lake/log-keys.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { hasNotedTable } from '#shared/lake/table-identity.ts'
import {
  MARKS_PROPERTY,
  marksOf,
  RESCORED_PROPERTY,
  type TableMarks,
  type TableOwner,
} from '#shared/lake/table-marks.ts'
import { tableOwners } from '#shared/lake/table-owners.ts'
import { isDeadLetterTable } from '#shared/pipeline/dead-letter-name.ts'
import type { Fault } from './findings.ts'
import { LoggedRecords, TableRows } from './table-rows.ts'

/** What was proven of one table, or what is wrong with it. */
export interface SnapshotProof extends TableOwner {
  /** The current snapshot, in decimal; null when there is none. */
  readonly snapshotId: string | null
  /** Data files and rows of the snapshot; rows that delete files take away are counted. */
  readonly files: number
  readonly rows: number
  /** Rows of rewritten files that were traced to their records; null when none were, or files are not read. */
  readonly traced: number | null
  /** Snapshots of other engines that the table still knows. */
  readonly foreignSnapshots: number
  /** Commits of the log that the table has not taken. */
  readonly pending: number
  /** The newest Kafka timestamp in the oldest of them, in milliseconds: how long the table has been behind. */
  readonly pendingSince: number | null
  readonly faults: readonly Fault[]
}

/** A proof, and what it says of single files. */
export interface ProvenTable {
  readonly proof: SnapshotProof
  /** Files that other engines have replaced: they may be gone. */
  readonly replaced: readonly string[]
}

export interface TableProofOptions {
  /** Reads the data files of tables that other engines have rewritten, and traces each row to its record. */
  readonly deep?: boolean
}

/** Proves every table of a lake that its logs fill. */
export async function* provenTables(
  store: ObjectStore,
  tables: OpenCatalog,
  { deep = false }: TableProofOptions = {},
): AsyncIterable<ProvenTable> {
  for await (const owner of tableOwners(store)) {
    // Plain files have marks too, and no table.
    if (await hasNotedTable(store, owner)) yield await proofOf(store, tables, owner, deep)
  }
}

async function proofOf(
  store: ObjectStore,
  tables: OpenCatalog,
  owner: TableOwner,
  deep: boolean,
): Promise<ProvenTable> {
  const nothing = { snapshotId: null, files: 0, rows: 0, traced: null }
  const none = { ...owner, ...nothing, foreignSnapshots: 0, pending: 0, pendingSince: null }
  const refused = (text: string): ProvenTable => {
    return { proof: { ...none, faults: [{ object: owner.table, fault: text }] }, replaced: [] }
  }
  const loaded = await tables.catalog.load(owner.table)
  if (loaded === undefined) return refused('the catalog does not have this table any more')
  try {
    const marks = await marksOf(store, loaded.metadata, owner)
    if (marks === undefined) return refused('the table does not say what it has of the log')
    return await compare({ store, tables, owner, deep }, loaded.metadata, marks)
  } catch (error) {
    if (!(error instanceof InletError) || error.stage === 'store') throw error
    return refused(error.message)
  }
}

interface Proving {
  readonly store: ObjectStore
  readonly tables: OpenCatalog
  readonly owner: TableOwner
  readonly deep: boolean
}

async function compare(
  { store, tables, owner, deep }: Proving,
  metadata: TableMetadata,
  marks: TableMarks,
): Promise<ProvenTable> {
  const snapshot = currentSnapshot(metadata)
  const foreign = foreignOperations(metadata)
  const isCompacted = foreign.length > 0 && foreign.every((operation) => operation === 'replace')
  // A record that was rejected again has a dead letter for each time.
  const isTraced = isCompacted && deep && !isDeadLetterTable(owner.table)
  const counted = await countedFiles(store, owner, marks, isTraced)
  const faults: Fault[] = []
  const lake = new LocatedStore(store)
  const located = tables.filesAt(metadata.location)
  /** URIs by key. */
  const live = new Map<string, string>()
  let [files, rows, deletes] = [0, 0, 0]
  const read = (location: string): Promise<Uint8Array> => located.read(location)
  for await (const file of snapshot === undefined ? [] : liveFiles(metadata, snapshot, read)) {
    if (file.content !== 'data') {
      deletes += 1
      continue
    }
    const key = lake.keyWithin(file.location) ?? file.location
    if (live.has(key)) faults.push({ object: key, fault: `is in the snapshot of ${owner.table} twice` })
    live.set(key, file.location)
    files += 1
    rows += file.rows
    const expected = counted.rows.get(key)
    if (expected === undefined && parseDataFileKey(key) !== undefined)
      faults.push({ object: key, fault: `is in the snapshot of ${owner.table}, but its marks do not count it` })
    if (expected !== undefined && expected !== file.rows)
      faults.push({ object: key, fault: `has ${file.rows} rows in ${owner.table}, and ${expected} in the log` })
  }
  const gone = [...counted.rows.keys()].filter((key) => !live.has(key))
  if (foreign.length === 0)
    for (const key of gone)
      faults.push({ object: key, fault: `is not in the snapshot of ${owner.table}, whose marks count it` })
  const total = [...counted.rows.values()].reduce((sum, some) => sum + some, 0)
  const isWhole = isCompacted && deletes === 0
  if (isWhole && rows !== total)
    faults.push({ object: owner.table, fault: `holds ${rows} rows after it was compacted, and the log ${total}` })
  let traced: number | null = null
  const book = isWhole && isTraced ? TableRows.of(counted.records) : undefined
  if (book !== undefined) {
    for (const [key, location] of live)
      for (const fault of await book.enter(key, await read(location))) faults.push({ object: key, fault })
    for (const fault of book.balance()) faults.push({ object: owner.table, fault })
    traced = rows
  }
  const snapshotId = snapshot === undefined ? null : String(snapshot['snapshot-id'])
  const { pending, pendingSince } = counted
  const seen = { snapshotId, files, rows, traced, foreignSnapshots: foreign.length }
  const proof = { ...owner, ...seen, pending, pendingSince, faults }
  return { proof, replaced: foreign.length > 0 ? gone : [] }
}

/** What the marks of a table count of its logs: the files of the table, how many rows each has and, if asked for, the records. */
async function countedFiles(
  store: ObjectStore,
  owner: TableOwner,
  marks: TableMarks,
  isTraced: boolean,
): Promise<CountedFiles> {
  const rows = new Map<string, number>()
  let pending = 0
  let oldest: number | null = null
  const records: LoggedRecords[] = []
  for await (const { id, log } of logsOf(store, generationPrefix(owner))) {
    const logged = new LoggedRecords(id)
    records.push(logged)
    const { next, amended } = marks.logs[log.prefix] ?? { next: 0, amended: {} }
    for (const entries of [log.commits(), log.amendments()]) {
      for await (const entry of entries) {
        const { kind, start, amends, number, files, fingerprint } = entry
        const isCounted = amends === null ? start < next : number < (amended[amends] ?? 0)
        if (!isCounted) {
          pending += 1
          if (kind !== 'seal' && fingerprint !== null) oldest = Math.min(oldest ?? Infinity, fingerprint.maxTimestamp)
        } else {
          if (isTraced) logged.add(entry)
          for (const file of files) if (file.table === owner.table) rows.set(file.path, file.rows)
        }
      }
    }
  }
  return { rows, records, pending, pendingSince: oldest }
}

interface CountedFiles {
  readonly rows: ReadonlyMap<string, number>
  readonly records: readonly LoggedRecords[]
  readonly pending: number
  readonly pendingSince: number | null
}

/** What the snapshots that rewrote files did, those of other engines and of rescoring, as far as the table still knows them. */
function foreignOperations(metadata: TableMetadata): string[] {
  const operations: string[] = []
  for (const { summary, 'parent-snapshot-id': parent } of ancestry(metadata)) {
    // Rows that were given scores are the same records' as before, in other files.
    if (RESCORED_PROPERTY in summary) operations.push('replace')
    else if (!(MARKS_PROPERTY in summary)) operations.push(summary['operation'] ?? 'unknown')
    // What was before has expired: nobody can say any more whose snapshots these were.
    const isCutOff =
      parent !== undefined && parent !== null && !metadata.snapshots.some((one) => one['snapshot-id'] === parent)
    if (isCutOff) operations.push('expired')
  }
  return operations
}
