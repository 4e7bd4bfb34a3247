/** Appends: how files become part of a table. Only metadata is made here; the files are where they are, and stay untouched. */
import pMap from 'p-map'
import type { ContentFile } from './data-file.ts'
import type { ManifestFile } from './manifest-list.ts'
import { type ManifestGroup, mergeGroups, olderEntries } from './manifest-merge.ts'
import { NextSnapshot, type NextVersion, type SnapshotIdentity } from './next-snapshot.ts'
import { appendSummary } from './snapshot.ts'
import { entriesOf, manifestsOf, type ReadObject } from './table-files.ts'
import { currentSnapshot, type TableMetadata } from './table-metadata.ts'

const READ_AHEAD = 16

export interface Append extends SnapshotIdentity {
  readonly files: readonly ContentFile[]
  /** What the snapshot says of itself besides. */
  readonly summary?: Readonly<Record<string, string>>
}

/**
 * A version of the table that has these files too, as a snapshot on top of the current one; small manifests are merged. When
 * the commit of it loses a race, the same append is made again on what the table has become, and these objects go unused.
 * @param read for the manifest list, and the manifests that are merged
 */
export async function append(
  base: TableMetadata,
  { files, summary, ...identity }: Append,
  read: ReadObject,
): Promise<NextVersion> {
  const next = new NextSnapshot(base, identity)
  const added = next.added(files)
  const merge = async (group: ManifestGroup): Promise<ManifestFile> => {
    const [newest] = group as [ManifestFile, ...ManifestFile[]]
    if (group.length === 1) return newest
    const entries = await pMap(group, async (one) => added.get(one) ?? olderEntries(await entriesOf(base, one, read)), {
      concurrency: READ_AHEAD,
    })
    return next.manifest(newest.spec, entries.flat())
  }
  const parent = currentSnapshot(base)
  const before = parent === undefined ? [] : await manifestsOf(parent, read)
  const manifests: ManifestFile[] = []
  for (const group of mergeGroups(base, [...added.keys(), ...before])) manifests.push(await merge(group))
  return next.version(manifests, { ...appendSummary(files, parent), ...summary })
}
