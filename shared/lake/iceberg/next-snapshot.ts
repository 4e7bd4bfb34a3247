/** What every new snapshot is made of: manifests, the list of them, and the version of the table that has it. */
import type { ContentFile } from './data-file.ts'
import { encodeManifest, type ManifestEntry } from './manifest.ts'
import { encodeManifestList, type ManifestFile, manifestFileOf } from './manifest-list.ts'
import { metadataLocation } from './metadata-names.ts'
import { withSnapshot } from './snapshot.ts'
import {
  currentSchema,
  currentSnapshot,
  later,
  partitionColumnsOf,
  type Snapshot,
  specWithId,
  type TableMetadata,
} from './table-metadata.ts'

export interface SnapshotIdentity {
  /** The id of the new snapshot: the same for every attempt, so that it can be found. See `newSnapshotId`. */
  readonly snapshotId: bigint
  /** Unique to this attempt. */
  readonly attempt: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** A version of a table that can be committed. */
export interface NextVersion {
  readonly metadata: TableMetadata
  /** What has to be there before the metadata is committed, by URI. */
  readonly objects: readonly (readonly [location: string, body: Uint8Array])[]
}

/** A snapshot on top of a table's current one, while it is made. Nothing is written: who commits it puts its objects first. */
export class NextSnapshot {
  readonly #base: TableMetadata
  readonly #identity: SnapshotIdentity
  readonly #sequenceNumber: number
  readonly #nameOf: (part: string) => string
  readonly #manifests: [location: string, body: Uint8Array][] = []

  constructor(base: TableMetadata, identity: SnapshotIdentity) {
    this.#base = base
    this.#identity = identity
    this.#sequenceNumber = base['last-sequence-number'] + 1
    this.#nameOf = metadataLocation(base.location, this.#sequenceNumber, identity.attempt)
  }

  /** A manifest of entries of one partition spec. */
  manifest(spec: number, entries: readonly ManifestEntry[]): ManifestFile {
    const base = this.#base
    const columns = partitionColumnsOf(base, spec)
    const location = this.#nameOf(`m${this.#manifests.length}`)
    const body = encodeManifest({ schema: currentSchema(base), spec: specWithId(base, spec), columns, entries })
    this.#manifests.push([location, body])
    const { snapshotId: addedSnapshotId } = this.#identity
    const place = { location, bytes: body.length, spec, sequenceNumber: this.#sequenceNumber, addedSnapshotId }
    return manifestFileOf(place, entries, columns)
  }

  /** A manifest for each partition spec of files that are new, with its entries. */
  added(files: readonly ContentFile[]): Map<ManifestFile, readonly ManifestEntry[]> {
    const { snapshotId } = this.#identity
    const manifests = new Map<ManifestFile, readonly ManifestEntry[]>()
    for (const [spec, some] of Map.groupBy(files, (file) => file.spec)) {
      const entries = some.map((file): ManifestEntry => {
        return { status: 'added', snapshotId, sequenceNumber: null, fileSequenceNumber: null, file }
      })
      manifests.set(this.manifest(spec, entries), entries)
    }
    return manifests
  }

  /**
   * @param manifests all of the table, newest first
   * @param summary what the snapshot says of itself
   */
  version(manifests: readonly ManifestFile[], summary: Snapshot['summary']): NextVersion {
    const { snapshotId, now } = this.#identity
    const base = this.#base
    const parent = currentSnapshot(base)
    const sequenceNumber = this.#sequenceNumber
    const list = this.#nameOf('list')
    const listed = { snapshotId, parentId: parent?.['snapshot-id'] ?? null, sequenceNumber }
    const snapshot: Snapshot = {
      'snapshot-id': snapshotId,
      ...(parent === undefined ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
      'sequence-number': sequenceNumber,
      'timestamp-ms': later(base, now),
      'manifest-list': list,
      summary,
      'schema-id': base['current-schema-id'],
    }
    // A manifest that was merged at once is in no list.
    const named = new Set(manifests.map(({ location }) => location))
    const written = this.#manifests.filter(([location]) => named.has(location))
    return {
      metadata: withSnapshot(base, snapshot),
      objects: [...written, [list, encodeManifestList(listed, manifests)]],
    }
  }
}
