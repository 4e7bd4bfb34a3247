/** What a snapshot of a table holds: its manifests, and the files that they name. */
import { InletError } from '#shared/pipeline/errors.ts'
import type { ContentFile } from './data-file.ts'
import { decodeManifest, type ManifestEntry } from './manifest.ts'
import { decodeManifestList, type ManifestFile } from './manifest-list.ts'
import { partitionColumnsOf, type Snapshot, type TableMetadata } from './table-metadata.ts'

/** Reads an object of a table by its URI. @throws InletError when it cannot be read, or is not there */
export type ReadObject = (location: string) => Promise<Uint8Array>

/** A file that is part of a snapshot: of data, or of deletes that a reader has to apply. */
export interface LiveFile extends ContentFile {
  /** The age of its data: deletes are of older data only. */
  readonly sequenceNumber: number
  /** The snapshot that it came with. */
  readonly snapshotId: bigint
}

export async function manifestsOf(snapshot: Snapshot, read: ReadObject): Promise<ManifestFile[]> {
  const location = snapshot['manifest-list']
  return decodeManifestList(location, await read(location))
}

/** The entries of a manifest, with what they inherit from the manifest list (specification, "Sequence Number Inheritance"). */
export async function entriesOf(
  metadata: TableMetadata,
  manifest: ManifestFile,
  read: ReadObject,
): Promise<InheritedEntry[]> {
  const columns = partitionColumnsOf(metadata, manifest.spec)
  const entries = decodeManifest(manifest.location, await read(manifest.location), manifest.spec, columns)
  return entries.map((entry) => ({
    ...entry,
    snapshotId: entry.snapshotId ?? manifest.addedSnapshotId,
    sequenceNumber: entry.sequenceNumber ?? inherited(entry, manifest),
    fileSequenceNumber: entry.fileSequenceNumber ?? inherited(entry, manifest),
  }))
}

/** An entry with nothing left to inherit. */
export interface InheritedEntry extends ManifestEntry {
  readonly snapshotId: bigint
  readonly sequenceNumber: number
  readonly fileSequenceNumber: number
}

/** Manifests of the first version have no sequence numbers: all of them are 0. */
function inherited({ status, file }: ManifestEntry, { sequenceNumber, location }: ManifestFile): number {
  if (status === 'added' || sequenceNumber === 0) return sequenceNumber
  throw new InletError('TABLE_UNREADABLE', `${location}: ${file.location} is ${status} without a sequence number`)
}

/** The files of a snapshot, delete files among them; those of one manifest after the other. */
export async function* liveFiles(
  metadata: TableMetadata,
  snapshot: Snapshot,
  read: ReadObject,
): AsyncGenerator<LiveFile> {
  for (const manifest of await manifestsOf(snapshot, read)) {
    for (const { status, file, sequenceNumber, snapshotId } of await entriesOf(metadata, manifest, read))
      if (status !== 'deleted') yield { ...file, sequenceNumber, snapshotId }
  }
}
