import pMap from 'p-map'
import type { ObjectEntry, ObjectStore } from '#shared/lake/object-store.ts'
import type { LocatedStore } from './located-store.ts'
import { sequenceOf } from './metadata-names.ts'
import { manifestsOf } from './table-files.ts'
import type { TableMetadata } from './table-metadata.ts'

const READ_AHEAD = 16

export interface MetadataVacuumOptions {
  /** Finds the objects and leaves them where they are. */
  readonly dryRun?: boolean
}

/**
 * Deletes the manifests and manifest lists of Inlet's that a table does not name and never will: those of snapshots that have
 * expired, of writers that died, and of commits that lost a race.
 *
 * An object is meant for one sequence number, which its name contains. As soon as the table has got that far, some commit has
 * taken the number, and every other that was made for it can only fail. So an object goes when its number is taken and no
 * snapshot of the table leads to it. No clock, no lease: it may run at any time, beside any number of writers. Objects with
 * other names are of other writers and stay; data files are not looked at.
 *
 * @param metadata the current version, loaded before this begins
 * @returns each object after it was deleted; each one that would be, in a dry run
 */
export async function* vacuumMetadata(
  store: ObjectStore,
  located: LocatedStore,
  metadata: TableMetadata,
  { dryRun = false }: MetadataVacuumOptions = {},
): AsyncIterable<ObjectEntry> {
  const named = await namedObjects(metadata, located)
  for await (const entry of store.list(`${located.keyOf(metadata.location)}/metadata/`)) {
    const sequence = sequenceOf(`/${entry.key}`)
    const isTaken = sequence !== undefined && sequence <= metadata['last-sequence-number']
    if (!isTaken || named.has(entry.key)) continue
    if (!dryRun) await store.delete(entry.key)
    yield entry
  }
}

/** The keys of all manifest lists and manifests that the snapshots of a table lead to. */
async function namedObjects(metadata: TableMetadata, located: LocatedStore): Promise<Set<string>> {
  const read = (location: string): Promise<Uint8Array> => located.read(location)
  const names = await pMap(
    metadata.snapshots,
    async (snapshot) => {
      const manifests = await manifestsOf(snapshot, read)
      return [snapshot['manifest-list'], ...manifests.map(({ location }) => location)]
    },
    { concurrency: READ_AHEAD },
  )
  return new Set(names.flat().map((location) => located.keyOf(location)))
}
