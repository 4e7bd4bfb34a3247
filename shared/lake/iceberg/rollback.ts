import { InletError } from '#shared/pipeline/errors.ts'
import { type Snapshot, snapshotWithId, type TableMetadata } from './table-metadata.ts'

/** A table as it was at one of its snapshots. */
export interface RolledBack {
  readonly metadata: TableMetadata
  /** What the newest snapshot up to it says under the property; null when it goes back to before the first that says so. */
  readonly marks: string | null
}

/**
 * The table with another of its snapshots as the current one (as `rollback_to_snapshot` of other engines); no snapshot is
 * taken away.
 * @param property the entry of a snapshot's summary that is looked for
 * @throws InletError TABLE_DIVERGED when it has no such snapshot, or the history before it has expired before the entry
 * was found
 */
export function rolledBackTo(metadata: TableMetadata, id: bigint, property: string): RolledBack {
  const target = snapshotWithId(metadata, id)
  if (target === undefined)
    throw new InletError('TABLE_DIVERGED', `${metadata.location} has no snapshot ${id}; it may have expired`)
  const entry = { 'snapshot-id': id, 'timestamp-ms': metadata['last-updated-ms'] }
  return {
    metadata: {
      ...metadata,
      'current-snapshot-id': id,
      'snapshot-log': [...metadata['snapshot-log'], entry],
      refs: { ...metadata.refs, main: { ...metadata.refs['main'], 'snapshot-id': id, type: 'branch' } },
    },
    marks: entryOf(metadata, target, property),
  }
}

function entryOf(metadata: TableMetadata, target: Snapshot, property: string): string | null {
  for (let snapshot: Snapshot | undefined = target; snapshot !== undefined; ) {
    const value = snapshot.summary[property]
    if (value !== undefined) return value
    const parent: bigint | null = snapshot['parent-snapshot-id'] ?? null
    if (parent === null) return null
    snapshot = snapshotWithId(metadata, parent)
  }
  throw new InletError(
    'TABLE_DIVERGED',
    `${metadata.location}: the history before the snapshot ${target['snapshot-id']} has expired, and none since is the log's`,
  )
}
