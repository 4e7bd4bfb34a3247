/** Snapshots: their ids, their ancestry, and what they say of themselves (specification, "Snapshots" and Appendix F). */
import { randomBytes } from 'node:crypto'
import type { ContentFile } from './data-file.ts'
import { tupleKey } from './partition-spec.ts'
import { currentSnapshot, later, type Snapshot, snapshotWithId, type TableMetadata } from './table-metadata.ts'

/** A positive number of 63 bits that no snapshot of the table has. */
export function newSnapshotId(metadata: TableMetadata): bigint {
  for (;;) {
    const id = randomBytes(8).readBigUInt64BE() >> 1n
    if (id !== 0n && snapshotWithId(metadata, id) === undefined) return id
  }
}

/** The current snapshot, its parent, and so on, as far as the metadata still holds them. */
export function* ancestry(metadata: TableMetadata): Generator<Snapshot> {
  const seen = new Set<bigint>()
  let snapshot = currentSnapshot(metadata)
  while (snapshot !== undefined && !seen.has(snapshot['snapshot-id'])) {
    yield snapshot
    seen.add(snapshot['snapshot-id'])
    const parent: bigint | null | undefined = snapshot['parent-snapshot-id']
    snapshot = parent === null || parent === undefined ? undefined : snapshotWithId(metadata, parent)
  }
}

/** Whether what a snapshot did is part of the table: how a writer finds out whether a commit of unknown outcome has worked. */
export function isInAncestry(metadata: TableMetadata, id: bigint): boolean {
  return ancestry(metadata).some((snapshot) => snapshot['snapshot-id'] === id)
}

/** The summary of a snapshot that adds data files to its parent. Totals that the parent does not tell stay unknown. */
export function appendSummary(files: readonly ContentFile[], parent: Snapshot | undefined): Record<string, string> {
  const rows = sumOf(files, ({ rows: some }) => some)
  const bytes = sumOf(files, ({ bytes: some }) => some)
  const partitions = new Set(files.map(({ spec, partition }) => `${spec} ${tupleKey(partition)}`)).size
  const totals: Record<string, number> = {
    'total-records': rows,
    'total-files-size': bytes,
    'total-data-files': files.length,
    'total-delete-files': 0,
    'total-position-deletes': 0,
    'total-equality-deletes': 0,
  }
  const known = Object.entries(totals).flatMap(([name, added]) => {
    const before = parent === undefined ? 0 : Number(parent.summary[name])
    return Number.isSafeInteger(before) ? [[name, String(before + added)]] : []
  })
  return {
    operation: 'append',
    'added-data-files': String(files.length),
    'added-records': String(rows),
    'added-files-size': String(bytes),
    'changed-partition-count': String(partitions),
    ...(Object.fromEntries(known) as Record<string, string>),
  }
}

/** The summary of a snapshot in which data files have taken the place of others, with the same rows. */
export function overwriteSummary(
  added: readonly ContentFile[],
  removed: readonly ContentFile[],
  parent: Snapshot,
): Record<string, string> {
  const rows = (files: readonly ContentFile[]): number => sumOf(files, (file) => file.rows)
  const bytes = (files: readonly ContentFile[]): number => sumOf(files, (file) => file.bytes)
  const partitions = new Set(added.map(({ spec, partition }) => `${spec} ${tupleKey(partition)}`)).size
  const totals = Object.fromEntries(Object.entries(parent.summary).filter(([name]) => name.startsWith('total-')))
  const size = Number(totals['total-files-size'])
  if (Number.isSafeInteger(size)) totals['total-files-size'] = String(size + bytes(added) - bytes(removed))
  return {
    operation: 'overwrite',
    'added-data-files': String(added.length),
    'deleted-data-files': String(removed.length),
    'added-records': String(rows(added)),
    'deleted-records': String(rows(removed)),
    'added-files-size': String(bytes(added)),
    'removed-files-size': String(bytes(removed)),
    'changed-partition-count': String(partitions),
    ...totals,
  }
}

function sumOf(files: readonly ContentFile[], of: (file: ContentFile) => number): number {
  return files.reduce((sum, file) => sum + of(file), 0)
}

/** The table with a snapshot as the head of its main branch. */
export function withSnapshot(metadata: TableMetadata, snapshot: Snapshot): TableMetadata {
  const { 'snapshot-id': id, 'timestamp-ms': timestamp } = snapshot
  return {
    ...metadata,
    'last-sequence-number': snapshot['sequence-number'],
    'last-updated-ms': later(metadata, timestamp),
    'current-snapshot-id': id,
    snapshots: [...metadata.snapshots, snapshot],
    'snapshot-log': [...metadata['snapshot-log'], { 'snapshot-id': id, 'timestamp-ms': timestamp }],
    refs: { ...metadata.refs, main: { ...metadata.refs['main'], 'snapshot-id': id, type: 'branch' } },
  }
}
