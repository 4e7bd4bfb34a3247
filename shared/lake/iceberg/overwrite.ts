/** Overwrites: how files take the place of others in a table, in one snapshot (specification, "Snapshots", operation `overwrite`). */
import pMap from 'p-map'
import type { Appended } from './append.ts'
import type { ContentFile } from './data-file.ts'
import { encodeManifest, type ManifestEntry } from './manifest.ts'
import { encodeManifestList, type ManifestFile, manifestFileOf } from './manifest-list.ts'
import { olderEntries } from './manifest-merge.ts'
import { metadataLocation } from './metadata-names.ts'
import { overwriteSummary, withSnapshot } from './snapshot.ts'
import { entriesOf, type InheritedEntry, manifestsOf, type ReadObject } from './table-files.ts'
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

/** A data file, and the one that takes its place: of the same partition. */
export interface Replacement {
  /** URI of the old file. */
  readonly location: string
  readonly file: ContentFile
}

export interface Overwrite {
  readonly replacements: readonly Replacement[]
  readonly snapshotId: bigint
  /** Unique to this attempt. */
  readonly attempt: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** What the snapshot says of itself besides. */
  readonly summary: Readonly<Record<string, string>>
}

export interface Overwritten extends Appended {
  /** Those whose old file was there: the others are no part of it. */
  readonly replaced: readonly Replacement[]
}

/**
 * A version of the table in which files have taken the place of others. Manifests that named the old files are written anew: what
 * they say of the old ones is that this snapshot deleted them; the others keep their age. A file that is not there any more, because
 * another writer has replaced it, is not replaced.
 * @returns undefined when none of the old files is there
 */
export async function overwrite(
  base: TableMetadata,
  { replacements, snapshotId, attempt, now, summary }: Overwrite,
  read: ReadObject,
): Promise<Overwritten | undefined> {
  const parent = currentSnapshot(base)
  if (parent === undefined) return undefined
  const sequenceNumber = base['last-sequence-number'] + 1
  const nameOf = metadataLocation(base.location, sequenceNumber, attempt)
  const objects: [string, Uint8Array][] = []
  const wanted = new Map(replacements.map((replacement) => [replacement.location, replacement]))

  const write = (spec: number, entries: readonly ManifestEntry[]): ManifestFile => {
    const columns = partitionColumnsOf(base, spec)
    const location = nameOf(`m${objects.length}`)
    const body = encodeManifest({ schema: currentSchema(base), spec: specWithId(base, spec), columns, entries })
    objects.push([location, body])
    const place = { location, bytes: body.length, spec, sequenceNumber, addedSnapshotId: snapshotId }
    return manifestFileOf(place, entries, columns)
  }
  const before = await manifestsOf(parent, read)
  const found = await pMap(before, async (manifest) => liveEntries(base, manifest, read), { concurrency: READ_AHEAD })
  const removed: InheritedEntry[] = []
  const kept = before.map((manifest, i) => {
    const entries = found[i] ?? []
    const gone = entries.filter(({ file }) => wanted.has(file.location))
    if (gone.length === 0) return manifest
    removed.push(...gone)
    const deleted = gone.map((entry): ManifestEntry => ({ ...entry, status: 'deleted', snapshotId }))
    return write(manifest.spec, [...olderEntries(entries.filter((entry) => !gone.includes(entry))), ...deleted])
  })
  if (removed.length === 0) return undefined

  const replaced = removed.map(({ file }) => wanted.get(file.location) as Replacement)
  const added: ManifestFile[] = []
  for (const [spec, some] of Map.groupBy(replaced, ({ file }) => file.spec)) {
    const entries = some.map(({ file }): ManifestEntry => {
      return { status: 'added', snapshotId, sequenceNumber: null, fileSequenceNumber: null, file }
    })
    added.push(write(spec, entries))
  }
  const list = nameOf('list')
  const listed = { snapshotId, parentId: parent['snapshot-id'], sequenceNumber }
  objects.push([list, encodeManifestList(listed, [...added, ...kept])])
  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    'parent-snapshot-id': parent['snapshot-id'],
    'sequence-number': sequenceNumber,
    'timestamp-ms': later(base, now),
    'manifest-list': list,
    summary: {
      ...overwriteSummary(
        replaced.map(({ file }) => file),
        removed.map(({ file }) => file),
        parent,
      ),
      ...summary,
    },
    'schema-id': base['current-schema-id'],
  }
  return { metadata: withSnapshot(base, snapshot), objects, replaced }
}

/** The data files that a manifest says are there. */
async function liveEntries(base: TableMetadata, manifest: ManifestFile, read: ReadObject): Promise<InheritedEntry[]> {
  if (manifest.content === 'deletes' || manifest.addedFiles + manifest.existingFiles === 0) return []
  const entries = await entriesOf(base, manifest, read)
  return entries.filter(({ status }) => status !== 'deleted')
}
