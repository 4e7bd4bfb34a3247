/** Overwrites: how files take the place of others in a table, in one snapshot (specification, "Snapshots", operation `overwrite`). */
import pMap from 'p-map'
import type { ContentFile } from './data-file.ts'
import type { ManifestEntry } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import { olderEntries } from './manifest-merge.ts'
import { NextSnapshot, type NextVersion, type SnapshotIdentity } from './next-snapshot.ts'
import { overwriteSummary } from './snapshot.ts'
import { entriesOf, type InheritedEntry, manifestsOf, type ReadObject } from './table-files.ts'
import { currentSnapshot, type TableMetadata } from './table-metadata.ts'

const READ_AHEAD = 16

/** A data file, and the one that takes its place: of the same partition. */
export interface Replacement {
  /** URI of the old file. */
  readonly location: string
  readonly file: ContentFile
}

export interface Overwrite extends SnapshotIdentity {
  readonly replacements: readonly Replacement[]
  /** What the snapshot says of itself besides. */
  readonly summary: Readonly<Record<string, string>>
}

export interface Overwritten extends NextVersion {
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
  { replacements, summary, ...identity }: Overwrite,
  read: ReadObject,
): Promise<Overwritten | undefined> {
  const parent = currentSnapshot(base)
  if (parent === undefined) return undefined
  const next = new NextSnapshot(base, identity)
  const wanted = new Map(replacements.map((replacement) => [replacement.location, replacement]))
  const before = await manifestsOf(parent, read)
  const found = await pMap(before, async (manifest) => liveEntries(base, manifest, read), { concurrency: READ_AHEAD })
  const removed: InheritedEntry[] = []
  const kept = before.map((manifest, i) => {
    const entries = found[i] ?? []
    const gone = entries.filter(({ file }) => wanted.has(file.location))
    if (gone.length === 0) return manifest
    removed.push(...gone)
    const deleted = gone.map(
      (entry): ManifestEntry => ({ ...entry, status: 'deleted', snapshotId: identity.snapshotId }),
    )
    return next.manifest(manifest.spec, [
      ...olderEntries(entries.filter(({ file }) => !wanted.has(file.location))),
      ...deleted,
    ])
  })
  if (removed.length === 0) return undefined

  const replaced = removed.map(({ file }) => wanted.get(file.location) as Replacement)
  const [files, old] = [replaced.map(({ file }) => file), removed.map(({ file }) => file)]
  const manifests = [...next.added(files).keys(), ...kept]
  return { ...next.version(manifests, { ...overwriteSummary(files, old, parent), ...summary }), replaced }
}

/** The data files that a manifest says are there. */
async function liveEntries(base: TableMetadata, manifest: ManifestFile, read: ReadObject): Promise<InheritedEntry[]> {
  if (manifest.content === 'deletes' || manifest.addedFiles + manifest.existingFiles === 0) return []
  const entries = await entriesOf(base, manifest, read)
  return entries.filter(({ status }) => status !== 'deleted')
}
