/** When manifests are written anew as one: a query reads every manifest that it cannot leave out by its partitions. */
import type { ManifestEntry } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import type { InheritedEntry } from './table-files.ts'
import { numberProperty, type TableMetadata } from './table-metadata.ts'

const TARGET_BYTES = 8 * 1024 * 1024
const MIN_COUNT = 100

/** Manifests that are to be one; a group of one stays what it is. */
export type ManifestGroup = readonly ManifestFile[]

/**
 * Groups of manifests, as the reference implementation makes them: those of one partition spec, oldest first, up to the target
 * size (`commit.manifest.target-size-bytes`). The group of the newest waits until it has enough of them
 * (`commit.manifest.min-count-to-merge`), so that not every commit writes all small ones again.
 * @param manifests newest first
 */
export function mergeGroups(metadata: TableMetadata, manifests: readonly ManifestFile[]): ManifestGroup[] {
  if (metadata.properties['commit.manifest-merge.enabled'] === 'false') return manifests.map((manifest) => [manifest])
  const target = numberProperty(metadata, 'commit.manifest.target-size-bytes', TARGET_BYTES)
  const least = numberProperty(metadata, 'commit.manifest.min-count-to-merge', MIN_COUNT)
  const bySpec = Map.groupBy(manifests, ({ spec, content }) => `${content} ${spec}`)
  return [...bySpec.values()].flatMap((some) => {
    if (some[0]?.content === 'deletes') return some.map((manifest) => [manifest])
    const groups = packed(some, target)
    const [newest = [], ...older] = groups
    return newest.length < least ? [...newest.map((manifest) => [manifest]), ...older] : groups
  })
}

/** As few groups as the order allows, filled from the oldest on. @returns newest first */
function packed(manifests: readonly ManifestFile[], target: number): ManifestFile[][] {
  const groups: ManifestFile[][] = []
  let room = 0
  for (const manifest of manifests.toReversed()) {
    const [group] = groups
    if (group !== undefined && manifest.bytes <= room) group.unshift(manifest)
    else {
      groups.unshift([manifest])
      room = target
    }
    room -= manifest.bytes
  }
  return groups
}

/**
 * The entries of an older manifest as a new one has them (specification, "Sequence Number Inheritance"): what they had inherited
 * is written down, what was added exists by now, and what was deleted is gone.
 */
export function olderEntries(entries: readonly InheritedEntry[]): ManifestEntry[] {
  return entries.filter(({ status }) => status !== 'deleted').map((entry) => ({ ...entry, status: 'existing' }))
}
