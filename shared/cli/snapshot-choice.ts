import {
  currentSchema,
  currentSnapshot,
  type Snapshot,
  snapshotWithId,
  type TableMetadata,
} from '#shared/lake/iceberg/table-metadata.ts'
import type { StructType } from '#shared/lake/iceberg/schema.ts'
import { UsageError } from './failure.ts'
import { timeText } from './printable.ts'

/** A time, to the day or finer; UTC unless it says otherwise. */
const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?<zone>Z|[+-]\d{2}:\d{2})?)?$/
const MAX_LISTED = 5

/**
 * The snapshot of a table that is meant by its id, in decimal, or by a time at which it was the current one.
 * @param at undefined for the current one
 * @returns undefined when the table has none yet
 * @throws UsageError for what is neither, and for a snapshot that there is not, with those that there are
 */
export function snapshotAt(table: string, metadata: TableMetadata, at: string | undefined): Snapshot | undefined {
  if (at === undefined) return currentSnapshot(metadata)
  if (/^\d{1,19}$/.test(at)) return byId(table, metadata, BigInt(at))
  const time = timeOf(at)
  const entry = metadata['snapshot-log'].findLast((each) => each['timestamp-ms'] <= time)
  if (entry !== undefined) return byId(table, metadata, entry['snapshot-id'])
  const [first] = metadata['snapshot-log']
  const known =
    first === undefined ? 'it has none yet' : `the first that it knows is of ${timeText(first['timestamp-ms'])}`
  throw new UsageError(`table ${table} had no snapshot at ${timeText(time)}: ${known}`)
}

/** The columns that a snapshot is read with: the table's own for the current one, else those that it was made with. */
export function schemaAt(metadata: TableMetadata, snapshot: Snapshot | undefined): StructType {
  const current = currentSchema(metadata)
  if (snapshot === undefined || snapshot['snapshot-id'] === metadata['current-snapshot-id']) return current
  return metadata.schemas.find((schema) => schema['schema-id'] === snapshot['schema-id']) ?? current
}

function byId(table: string, metadata: TableMetadata, id: bigint): Snapshot {
  const snapshot = snapshotWithId(metadata, id)
  if (snapshot !== undefined) return snapshot
  const newest = metadata.snapshots.toReversed()
  const listed = newest
    .slice(0, MAX_LISTED)
    .map((known) => `${known['snapshot-id']} (${timeText(known['timestamp-ms'])})`)
  const more = newest.length > MAX_LISTED ? `, and ${newest.length - MAX_LISTED} older ones` : ''
  throw new UsageError(
    `table ${table} has no snapshot ${id}${listed.length === 0 ? ', nor any other yet' : `, or it has expired; there are ${listed.join(', ')}${more}`}`,
  )
}

function timeOf(at: string): number {
  const match = TIME.exec(at)
  const isDay = at.length === 10
  const zone = isDay || match?.groups?.['zone'] !== undefined ? '' : 'Z'
  const time = match === null ? Number.NaN : Date.parse(`${at.replace(' ', 'T')}${zone}`)
  if (!Number.isNaN(time)) return time
  throw new UsageError(`"${at}" is neither the id of a snapshot nor a time, as 2026-01-31 or 2026-01-31T12:00:00Z`)
}
