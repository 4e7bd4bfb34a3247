/** Files of Iceberg tables as manifests describe them (specification, "Entries in Manifests", `data_file`). */
import type { DataFile, FileStatistics } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { type PartitionColumn, type PartitionTuple, tupleOf } from './partition-spec.ts'

export type FileContent = 'data' | 'position deletes' | 'equality deletes'

/** A data file or a delete file. Its metrics are by field id; what is not known is left out. */
export interface ContentFile {
  readonly content: FileContent
  /** URI. */
  readonly location: string
  /** In upper case, as the reference implementation writes it. */
  readonly format: string
  /** Id of the partition spec that the tuple is of. */
  readonly spec: number
  readonly partition: PartitionTuple
  readonly rows: number
  readonly bytes: number
  readonly columnSizes: ReadonlyMap<number, number>
  readonly valueCounts: ReadonlyMap<number, number>
  readonly nullCounts: ReadonlyMap<number, number>
  readonly nanCounts: ReadonlyMap<number, number>
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>
  readonly upperBounds: ReadonlyMap<number, Uint8Array>
  readonly splits: readonly number[] | null
  readonly sortOrder: number | null
  readonly keyMetadata: Uint8Array | null
  /** Of equality deletes: the ids of the fields that are compared. */
  readonly equalityIds: readonly number[] | null
  /** Of position deletes: the one data file that they are of. */
  readonly referencedDataFile: string | null
}

/** What a table has to say for a commit's file to become one of its own. */
export interface FilePlacement {
  /** Key in the lake → URI. */
  readonly locate: (key: string) => string
  /** The columns of a partition spec's tuples. */
  readonly partitionColumns: (spec: number) => readonly PartitionColumn[]
  /** Of the rows of a slice. */
  readonly sortOrder: number
}

/**
 * The file that a commit names, as a manifest describes it: from what the commit says, without a look into the file.
 *
 * Files from before their table had a lock know neither spec nor statistics: they are of the first spec, and are read by the
 * names of their columns.
 * @throws InletError LOG_CORRUPT when its partition is not of its spec
 */
export function contentFileOf(file: DataFile, { locate, partitionColumns, sortOrder }: FilePlacement): ContentFile {
  if (!file.path.endsWith('.parquet'))
    throw new InletError('TABLE_UNREADABLE', `${file.path}: Iceberg's tables have no files of this format`)
  const { spec = 0, statistics } = file
  return {
    content: 'data',
    location: locate(file.path),
    format: 'PARQUET',
    spec,
    partition: tupleOf(file.partition, partitionColumns(spec)),
    rows: file.rows,
    bytes: file.bytes,
    ...metricsOf(statistics),
    sortOrder,
    keyMetadata: null,
    equalityIds: null,
    referencedDataFile: null,
  }
}

type Metrics = 'columnSizes' | 'valueCounts' | 'nullCounts' | 'nanCounts' | 'lowerBounds' | 'upperBounds' | 'splits'

/** What a manifest says of the columns of a file. */
export function metricsOf(statistics: FileStatistics | null | undefined): Pick<ContentFile, Metrics> {
  const { fields, splits } = statistics ?? { splits: null, fields: [] }
  const byId = <T>(part: number): Map<number, T> =>
    new Map(fields.flatMap((field) => (field[part] === null ? [] : [[field[0], field[part] as T] as const])))
  return {
    columnSizes: byId(1),
    valueCounts: byId(2),
    nullCounts: byId(3),
    nanCounts: byId(4),
    lowerBounds: bytesOf(byId(5)),
    upperBounds: bytesOf(byId(6)),
    splits,
  }
}

function bytesOf(bounds: ReadonlyMap<number, string>): Map<number, Uint8Array> {
  return new Map([...bounds].map(([id, base64]) => [id, Buffer.from(base64, 'base64')]))
}
