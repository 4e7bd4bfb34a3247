import { LocatedStore } from '#shared/lake/iceberg/located-store.ts'
import type { OpenCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { type FieldMapping, mappingsOf, type StructType } from '#shared/lake/iceberg/schema.ts'
import { type LiveFile, liveFiles } from '#shared/lake/iceberg/table-files.ts'
import type { Snapshot, TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { StoredFile } from './data-files.ts'
import { schemaAt } from './snapshot-choice.ts'

/** A Parquet file of a snapshot. */
export interface SnapshotFile extends StoredFile {
  /** The age of its data: deletes are of older data only. */
  readonly sequenceNumber: number
}

/** All that is to be known of a snapshot for its rows to be read. */
export interface SnapshotContent {
  readonly schema: StructType
  /** How files are read that have no field ids. */
  readonly mapping: readonly FieldMapping[]
  readonly data: readonly SnapshotFile[]
  /** Position deletes: which rows of which file are none any more. */
  readonly deletes: readonly SnapshotFile[]
  /** The place, as `StoredFile` has it, of the file at a URI. */
  readonly pathOf: (location: string) => string
}

/** A table in a catalog, and the lake that it is of. */
export interface CatalogTable {
  readonly store: ObjectStore
  readonly tables: OpenCatalog
  readonly name: string
  readonly metadata: TableMetadata
}

/** The files of a snapshot of a table, delete files among them; none where there is no snapshot. */
export async function filesOf({ tables, metadata }: CatalogTable, snapshot: Snapshot | undefined): Promise<LiveFile[]> {
  if (snapshot === undefined) return []
  const located = tables.filesAt(metadata.location)
  const files: LiveFile[] = []
  for await (const file of liveFiles(metadata, snapshot, (location) => located.read(location))) files.push(file)
  return files
}

/** @throws InletError TABLE_UNREADABLE for files that are not Parquet, and for deletes by value */
export async function snapshotContent(table: CatalogTable, snapshot: Snapshot | undefined): Promise<SnapshotContent> {
  const { name, metadata } = table
  const schema = schemaAt(metadata, snapshot)
  const live = await filesOf(table, snapshot)
  const data = live.filter(({ content }) => content === 'data')
  requireNoEqualityDeletes(name, live, data)
  const stored = placesOf(table)
  const positions = live.filter(({ content }) => content === 'position deletes')
  for (const { location, format } of [...data, ...positions]) {
    if (format.toUpperCase() !== 'PARQUET')
      throw new InletError(
        'TABLE_UNREADABLE',
        `table ${name}: ${location} is of ${format}, and only Parquet is read here`,
      )
  }
  const fileOf = ({ location, sequenceNumber }: LiveFile): SnapshotFile => ({ ...stored(location), sequenceNumber })
  return {
    schema,
    mapping: mappingOf(metadata, schema),
    data: data.map(fileOf),
    deletes: positions.map(fileOf),
    pathOf: (location) => stored(location).path,
  }
}

/** Deletes by value are of older data only: compaction leaves behind such as have nothing left to delete. */
function requireNoEqualityDeletes(name: string, live: readonly LiveFile[], data: readonly LiveFile[]): void {
  const oldest = data.reduce((least, file) => Math.min(least, file.sequenceNumber), Number.POSITIVE_INFINITY)
  const deletes = live.filter((file) => file.content === 'equality deletes' && file.sequenceNumber > oldest)
  if (deletes.length === 0) return
  throw new InletError(
    'TABLE_UNREADABLE',
    `table ${name} has equality deletes (in ${deletes.length} file${deletes.length === 1 ? '' : 's'}): they name rows by their values, and only deletes by ` +
      'position are applied here. Compact the table with the engine that wrote them (Spark: rewrite_data_files with ' +
      'delete-file-threshold 1), or query it there',
  )
}

/** URI → where the file is: within the lake, or in a bucket of the catalog's own, as compaction by S3 Tables puts it there. */
function placesOf({ store, tables }: CatalogTable): (location: string) => StoredFile {
  const lake = new LocatedStore(store)
  return (location) => {
    const key = lake.keyWithin(location)
    if (key !== undefined) return { path: key }
    const elsewhere = tables.filesAt(location)
    elsewhere.keyOf(location)
    return { path: location, read: () => elsewhere.read(location) }
  }
}

/** The table's own name mapping, else the names of today. */
function mappingOf({ properties }: TableMetadata, schema: StructType): readonly FieldMapping[] {
  const declared = properties['schema.name-mapping.default']
  if (declared === undefined) return mappingsOf(schema.fields)
  try {
    return JSON.parse(declared) as readonly FieldMapping[]
  } catch (error) {
    throw new InletError('TABLE_UNREADABLE', 'the property schema.name-mapping.default is not JSON', { cause: error })
  }
}
