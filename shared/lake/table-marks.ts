/**
 * The marks of a table: how far it has followed each log. They are an immutable object of a unique name, written before the
 * version of the table that names it in a property, so that data and marks change in one step. The object names the snapshot
 * that it goes with: a table whose history was changed by something else (rolled back, made anew) is noticed, and nothing is
 * added to it that it may have or have lost already.
 */
import * as z from 'zod'
import { InletError } from '#shared/pipeline/errors.ts'
import { ancestry } from './iceberg/snapshot.ts'
import { currentSnapshot, type TableMetadata } from './iceberg/table-metadata.ts'
import type { LogMarks } from './log-follower.ts'
import type { ObjectStore } from './object-store.ts'
import { marksPrefix, type TableOwner } from './table-owner.ts'

export { MARKS_ROOT, marksPrefix, type TableOwner } from './table-owner.ts'

/** The table property, and the entry in a snapshot's summary, that name the marks. */
export const MARKS_PROPERTY = 'inlet.marks'

/** The entry in the summary of a snapshot in which rows have been given scores: see `rescore.ts`. */
export const RESCORED_PROPERTY = 'inlet.rescored'

const Offset = z.int().min(0)
const Marks = z
  .strictObject({
    format: z.literal(1),
    table: z.string(),
    tableId: z.string(),
    /** The snapshot that was current when they became the table's, in decimal; null when there was none. */
    snapshotId: z.string().nullable(),
    sequenceNumber: z.int().min(0),
    /** Whether amendments have to be looked for one by one: markers of some that it has not taken may be gone. */
    rescan: z.boolean(),
    logs: z
      .record(
        z.string(),
        z.strictObject({ next: Offset, amended: z.record(z.string(), z.int().min(1)).readonly() }).readonly(),
      )
      .readonly(),
  })
  .readonly()

export interface TableMarks extends Omit<z.output<typeof Marks>, 'format' | 'logs'> {
  /** By the prefix of the log. */
  readonly logs: Readonly<Record<string, LogMarks>>
}

const MARKS_PREFIX = /^marks\/(?<pipeline>[^/]+)\/g(?<generation>\d+)\/(?<table>[^/]+)\//

/** @returns the table that a key belongs to, and the prefix of its marks; undefined for other keys */
export function parseMarksKey(key: string): { owner: TableOwner; prefix: string } | undefined {
  const match = MARKS_PREFIX.exec(key)
  if (match?.groups === undefined) return undefined
  const { pipeline = '', generation, table = '' } = match.groups
  return { owner: { pipeline, generation: Number(generation), table }, prefix: match[0] }
}

/** @param attempt unique to the attempt that writes them */
export function marksKey(owner: TableOwner, attempt: string): string {
  return `${marksPrefix(owner)}${attempt}.json`
}

export async function putMarks(store: ObjectStore, key: string, marks: TableMarks): Promise<void> {
  await store.put(key, Buffer.from(`${JSON.stringify({ format: 1, ...marks })}\n`))
}

/**
 * The marks that go with the current version of a table.
 * @returns undefined when the table never had any
 * @throws InletError TABLE_DIVERGED, with the way out, when they are not those of the table as it is now; LOG_CORRUPT when
 * they cannot be read
 */
export async function marksOf(
  store: ObjectStore,
  metadata: TableMetadata,
  owner: TableOwner,
): Promise<TableMarks | undefined> {
  const key = metadata.properties[MARKS_PROPERTY]
  if (key === undefined) return undefined
  const marks = await readMarks(store, key)
  if (marks.tableId !== metadata['table-uuid'])
    throw diverged(owner, 'it is another table than the one that was filled from the log')
  if (!isCurrent(marks, metadata))
    throw diverged(owner, `its snapshot ${marks.snapshotId} is no longer in its history: something has rolled it back`)
  return marks
}

/** @throws InletError LOG_CORRUPT when there are none at the key, or they cannot be read */
export async function readMarks(store: ObjectStore, key: string): Promise<TableMarks> {
  const marks = await findMarks(store, key)
  if (marks === undefined) throw new InletError('LOG_CORRUPT', `${key} is missing, but a table names it`)
  return marks
}

/**
 * @returns undefined when there are none at the key
 * @throws InletError LOG_CORRUPT when they cannot be read
 */
export async function findMarks(store: ObjectStore, key: string): Promise<TableMarks | undefined> {
  const body = await store.get(key)
  if (body === undefined) return undefined
  const parsed = Marks.safeParse(parseJson(body))
  if (parsed.success) return parsed.data
  throw new InletError('LOG_CORRUPT', `${key} does not hold the marks of a table`)
}

/**
 * The marks of a table that has taken nothing yet. The log may be older than the table, and the markers of its amendments gone
 * with another table of that name.
 */
export function emptyMarks(table: string, tableId: string): TableMarks {
  return { table, tableId, snapshotId: null, sequenceNumber: 0, rescan: true, logs: {} }
}

/**
 * Whether the snapshot of the marks is the current one, or before it. One that has expired cannot be found any more; then the
 * oldest one that is left has a parent and is younger.
 */
function isCurrent({ snapshotId, sequenceNumber }: TableMarks, metadata: TableMetadata): boolean {
  if (snapshotId === null) return true
  const known = [...ancestry(metadata)]
  if (known.some((snapshot) => String(snapshot['snapshot-id']) === snapshotId)) return true
  const oldest = known.at(-1)
  const isCutOff = oldest !== undefined && (oldest['parent-snapshot-id'] ?? null) !== null
  return isCutOff && oldest['sequence-number'] > sequenceNumber
}

function diverged({ table, pipeline, generation }: TableOwner, what: string): InletError {
  return new InletError(
    'TABLE_DIVERGED',
    `table ${table} cannot be filled from the log of ${pipeline}, generation ${generation}: ${what}. ` +
      `"inlet table history ${pipeline}" shows its snapshots; "inlet table rollback ${pipeline} --to <snapshot>" brings data ` +
      `and log together at one of them; "inlet table adopt ${pipeline}" fills an empty table from the beginning of the log`,
  )
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Where the marks of a version of the table stand in its history. */
export function snapshotOf(metadata: TableMetadata): Pick<TableMarks, 'snapshotId' | 'sequenceNumber'> {
  const snapshot = currentSnapshot(metadata)
  return {
    snapshotId: snapshot === undefined ? null : String(snapshot['snapshot-id']),
    sequenceNumber: snapshot?.['sequence-number'] ?? 0,
  }
}
