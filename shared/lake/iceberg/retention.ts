/** Which snapshots a table keeps (specification, "Snapshot Retention Policy"). */
import {
  later,
  numberProperty,
  type Snapshot,
  type SnapshotRef,
  snapshotWithId,
  type TableMetadata,
} from './table-metadata.ts'

const FIVE_DAYS_MS = 432_000_000

/**
 * The table without the snapshots that it need not keep, by its own properties (`history.expire.max-snapshot-age-ms`,
 * `history.expire.min-snapshots-to-keep`, `history.expire.max-ref-age-ms`) and those of its branches and tags; the same object
 * when there are none to expire. No object is deleted: see `vacuum-metadata.ts`.
 * @param now milliseconds since 1970
 */
export function expireSnapshots(metadata: TableMetadata, now: number): TableMetadata {
  const refs = Object.fromEntries(
    Object.entries(metadata.refs).filter(([name, ref]) => name === 'main' || !isOutdated(metadata, ref, now)),
  )
  const kept = new Set<bigint>()
  for (const ref of Object.values(refs)) {
    for (const snapshot of ref.type === 'tag' ? [] : retained(metadata, ref, now)) kept.add(snapshot['snapshot-id'])
    kept.add(ref['snapshot-id'])
  }
  const snapshots = metadata.snapshots.filter((snapshot) => kept.has(snapshot['snapshot-id']))
  if (snapshots.length === metadata.snapshots.length && Object.keys(refs).length === Object.keys(metadata.refs).length)
    return metadata
  return {
    ...metadata,
    refs,
    snapshots,
    'snapshot-log': knownSince(metadata['snapshot-log'], kept),
    'last-updated-ms': later(metadata, now),
  }
}

function isOutdated(metadata: TableMetadata, ref: SnapshotRef, now: number): boolean {
  const most =
    ref['max-ref-age-ms'] ?? numberProperty(metadata, 'history.expire.max-ref-age-ms', Number.POSITIVE_INFINITY)
  const snapshot = snapshotWithId(metadata, ref['snapshot-id'])
  return snapshot === undefined || now - snapshot['timestamp-ms'] > most
}

/** The snapshots of a branch that are young enough, or among the first of it. */
function retained(metadata: TableMetadata, ref: SnapshotRef, now: number): Snapshot[] {
  const least = ref['min-snapshots-to-keep'] ?? numberProperty(metadata, 'history.expire.min-snapshots-to-keep', 1)
  const mostAge =
    ref['max-snapshot-age-ms'] ?? numberProperty(metadata, 'history.expire.max-snapshot-age-ms', FIVE_DAYS_MS)
  const snapshots: Snapshot[] = []
  let snapshot = snapshotWithId(metadata, ref['snapshot-id'])
  while (snapshot !== undefined && (snapshots.length < least || now - snapshot['timestamp-ms'] <= mostAge)) {
    snapshots.push(snapshot)
    snapshot = snapshotWithId(metadata, snapshot['parent-snapshot-id'] ?? -1n)
  }
  return snapshots
}

type SnapshotLog = TableMetadata['snapshot-log']

/** The log from behind its last entry that is expired: with a hole in it, a look back in time would find a wrong snapshot. */
export function knownSince(log: SnapshotLog, kept: ReadonlySet<bigint>): SnapshotLog {
  return log.slice(1 + log.findLastIndex((entry) => !kept.has(entry['snapshot-id'])))
}
