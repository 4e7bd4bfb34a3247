/** Catalogs: who says which version of a table is the current one (specification, "Optimistic Concurrency"). */
import { numberProperty, type TableMetadata } from './table-metadata.ts'

/** The current version of a table. */
export interface LoadedTable {
  readonly metadata: TableMetadata
  /** URI of the metadata. */
  readonly location: string
  /** What the catalog knows this version by. */
  readonly token: string
}

/**
 * `committed`: this very version became the current one, though others may have followed since. `conflict`: it never did, and
 * never will. A commit that throws may be either: load the table, and look whether the snapshot is in its ancestry.
 */
export type CommitOutcome = 'committed' | 'conflict'

export interface TableCatalog {
  /** @returns undefined when there is no such table. @throws InletError TABLE_UNREADABLE, or of stage `store` */
  load(table: string): Promise<LoadedTable | undefined>
  /** Makes a table of its first version, if there is none of that name. */
  create(table: string, metadata: TableMetadata): Promise<CommitOutcome>
  /** Makes a version follow the one it was made of, if that is still the current one. */
  commit(table: string, base: LoadedTable, metadata: TableMetadata): Promise<CommitOutcome>
}

const MAX_PREVIOUS_VERSIONS = 100

/**
 * The metadata as it is written: with the version that it follows in its log, which keeps as many as the table's property
 * `write.metadata.previous-versions-max` says.
 */
export function following(base: LoadedTable, metadata: TableMetadata): TableMetadata {
  const most = Math.max(1, numberProperty(metadata, 'write.metadata.previous-versions-max', MAX_PREVIOUS_VERSIONS))
  const entry = { 'metadata-file': base.location, 'timestamp-ms': base.metadata['last-updated-ms'] }
  return { ...metadata, 'metadata-log': [...base.metadata['metadata-log'], entry].slice(-most) }
}
