/** Appends: how files become part of a table. Only metadata is made here; the files are where they are, and stay untouched. */
import pMap from 'p-map'
import type { ContentFile } from './data-file.ts'
import { encodeManifest, type ManifestEntry } from './manifest.ts'
import { encodeManifestList, type ManifestFile, manifestFileOf } from './manifest-list.ts'
import { type ManifestGroup, mergeGroups, olderEntries } from './manifest-merge.ts'
import { metadataLocation } from './metadata-names.ts'
import { appendSummary, withSnapshot } from './snapshot.ts'
import { entriesOf, manifestsOf, type ReadObject } from './table-files.ts'
import {
  currentSchema,
  currentSnapshot,
  later,
  partitionColumnsOf,
  type Snapshot,
  specWithId,
  type TableMetadata,
} from './table-metadata.ts'

const READ_AHEAD = 16

export interface Append {
  readonly files: readonly ContentFile[]
  /** The id of the new snapshot: the same for every attempt, so that it can be found. See `newSnapshotId`. */
  readonly snapshotId: bigint
  /** Unique to this attempt. */
  readonly attempt: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** What the snapshot says of itself besides. */
  readonly summary?: Readonly<Record<string, string>>
}

export interface Appended {
  readonly metadata: TableMetadata
  /** What has to be there before the metadata is committed, by URI. */
  readonly objects: readonly (readonly [location: string, body: Uint8Array])[]
}

/**
 * A version of the table that has these files too, as a snapshot on top of the current one; small manifests are merged. When
 * the commit of it loses a race, the same append is made again on what the table has become, and these objects go unused.
 * @param read for the manifest list, and the manifests that are merged
 */
export async function append(base: TableMetadata, change: Append, read: ReadObject): Promise<Appended> {
  const { files, snapshotId, attempt, now, summary } = change
  const parent = currentSnapshot(base)
  const sequenceNumber = base['last-sequence-number'] + 1
  const nameOf = metadataLocation(base.location, sequenceNumber, attempt)
  const objects = new Map<string, Uint8Array>()
  const added = new Map<ManifestFile, readonly ManifestEntry[]>()

  const write = (spec: number, entries: readonly ManifestEntry[]): ManifestFile => {
    const columns = partitionColumnsOf(base, spec)
    const location = nameOf(`m${objects.size}`)
    const body = encodeManifest({ schema: currentSchema(base), spec: specWithId(base, spec), columns, entries })
    objects.set(location, body)
    const place = { location, bytes: body.length, spec, sequenceNumber, addedSnapshotId: snapshotId }
    return manifestFileOf(place, entries, columns)
  }
  for (const [spec, some] of Map.groupBy(files, (file) => file.spec)) {
    const entries = some.map((file) => addedEntry(file, snapshotId))
    added.set(write(spec, entries), entries)
  }
  const merge = async (group: ManifestGroup): Promise<ManifestFile> => {
    const [newest] = group as [ManifestFile, ...ManifestFile[]]
    if (group.length === 1) return newest
    const entries = await pMap(group, async (one) => added.get(one) ?? olderEntries(await entriesOf(base, one, read)), {
      concurrency: READ_AHEAD,
    })
    return write(newest.spec, entries.flat())
  }
  const before = parent === undefined ? [] : await manifestsOf(parent, read)
  const manifests: ManifestFile[] = []
  for (const group of mergeGroups(base, [...added.keys(), ...before])) manifests.push(await merge(group))

  const list = nameOf('list')
  const listed = { snapshotId, parentId: parent?.['snapshot-id'] ?? null, sequenceNumber }
  objects.set(list, encodeManifestList(listed, manifests))
  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    ...(parent === undefined ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
    'sequence-number': sequenceNumber,
    'timestamp-ms': later(base, now),
    'manifest-list': list,
    summary: { ...appendSummary(files, parent), ...summary },
    'schema-id': base['current-schema-id'],
  }
  // A manifest that was merged at once is in no list.
  const named = new Set([list, ...manifests.map(({ location }) => location)])
  return { metadata: withSnapshot(base, snapshot), objects: [...objects].filter(([location]) => named.has(location)) }
}

function addedEntry(file: ContentFile, snapshotId: bigint): ManifestEntry {
  return { status: 'added', snapshotId, sequenceNumber: null, fileSequenceNumber: null, file }
}
