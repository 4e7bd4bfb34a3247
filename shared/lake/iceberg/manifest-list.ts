/** Manifest lists: the manifests of a snapshot, and which partitions each of them reaches (specification, "Manifest Lists"). */
import { InletError } from '#shared/pipeline/errors.ts'
import { decodeAvroFile, encodeAvroFile } from './avro-file.ts'
import { FieldIds, list, optional, record, required } from './avro-schema.ts'
import type { ManifestEntry } from './manifest.ts'
import type { PartitionColumn } from './partition-spec.ts'
import { compareValues, type SingleValue, toBytes } from './single-value.ts'

/** What the partitions of a manifest's files have in one field. */
export interface FieldSummary {
  readonly containsNull: boolean
  readonly containsNan: boolean | null
  /** Null when there is nothing but null and NaN. */
  readonly lower: Uint8Array | null
  readonly upper: Uint8Array | null
}

/** A manifest as a manifest list names it. */
export interface ManifestFile {
  readonly location: string
  readonly bytes: number
  readonly spec: number
  readonly content: 'data' | 'deletes'
  readonly sequenceNumber: number
  /** The least of its files that are not deleted. */
  readonly minSequenceNumber: number
  readonly addedSnapshotId: bigint
  readonly addedFiles: number
  readonly existingFiles: number
  readonly deletedFiles: number
  readonly addedRows: number
  readonly existingRows: number
  readonly deletedRows: number
  readonly partitions: readonly FieldSummary[]
  readonly keyMetadata: Uint8Array | null
}

/** Where a new manifest lies, and in which snapshot it comes. */
export type ManifestPlace = Pick<ManifestFile, 'location' | 'bytes' | 'spec' | 'sequenceNumber' | 'addedSnapshotId'>

/** What a manifest list says of a new manifest of data files. @param columns of the tuples of its spec */
export function manifestFileOf(
  place: ManifestPlace,
  entries: readonly ManifestEntry[],
  columns: readonly PartitionColumn[],
): ManifestFile {
  const count = (status: ManifestEntry['status']): number => entries.filter((entry) => entry.status === status).length
  const rows = (status: ManifestEntry['status']): number =>
    entries.reduce((sum, entry) => (entry.status === status ? sum + entry.file.rows : sum), 0)
  const live = entries.filter(({ status }) => status !== 'deleted')
  return {
    ...place,
    content: 'data',
    minSequenceNumber: live.reduce(
      (least, { sequenceNumber }) => Math.min(least, sequenceNumber ?? place.sequenceNumber),
      place.sequenceNumber,
    ),
    addedFiles: count('added'),
    existingFiles: count('existing'),
    deletedFiles: count('deleted'),
    addedRows: rows('added'),
    existingRows: rows('existing'),
    deletedRows: rows('deleted'),
    partitions: columns.map(({ type }, i) =>
      summaryOf(
        type,
        entries.map(({ file }) => file.partition[i] ?? null),
      ),
    ),
    keyMetadata: null,
  }
}

function summaryOf(type: string, values: readonly (SingleValue | null)[]): FieldSummary {
  const some = values.filter((value) => value !== null && !Number.isNaN(value)) as SingleValue[]
  const least = some.reduce((a, b) => (compareValues(b, a) < 0 ? b : a), some[0] as SingleValue)
  const greatest = some.reduce((a, b) => (compareValues(b, a) > 0 ? b : a), some[0] as SingleValue)
  return {
    containsNull: values.includes(null),
    containsNan: values.some((value) => Number.isNaN(value)),
    lower: some.length === 0 ? null : toBytes(type, least),
    upper: some.length === 0 ? null : toBytes(type, greatest),
  }
}

const SUMMARY = record('r508', [
  required(509, 'contains_null', 'boolean'),
  optional(518, 'contains_nan', 'boolean'),
  optional(510, 'lower_bound', 'bytes'),
  optional(511, 'upper_bound', 'bytes'),
])

const MANIFEST_FILE = record('manifest_file', [
  required(500, 'manifest_path', 'string'),
  required(501, 'manifest_length', 'long'),
  required(502, 'partition_spec_id', 'int'),
  required(517, 'content', 'int'),
  required(515, 'sequence_number', 'long'),
  required(516, 'min_sequence_number', 'long'),
  required(503, 'added_snapshot_id', 'long'),
  required(504, 'added_files_count', 'int'),
  required(505, 'existing_files_count', 'int'),
  required(506, 'deleted_files_count', 'int'),
  required(512, 'added_rows_count', 'long'),
  required(513, 'existing_rows_count', 'long'),
  required(514, 'deleted_rows_count', 'long'),
  optional(507, 'partitions', list(508, SUMMARY)),
  optional(519, 'key_metadata', 'bytes'),
])

/** The snapshot that a manifest list is of. */
export interface ListedSnapshot {
  readonly snapshotId: bigint
  readonly parentId: bigint | null
  readonly sequenceNumber: number
}

export function encodeManifestList(snapshot: ListedSnapshot, manifests: readonly ManifestFile[]): Uint8Array {
  return encodeAvroFile({
    schema: MANIFEST_FILE,
    metadata: {
      'snapshot-id': String(snapshot.snapshotId),
      'parent-snapshot-id': String(snapshot.parentId),
      'sequence-number': String(snapshot.sequenceNumber),
      'format-version': '2',
    },
    records: manifests.map((manifest) => ({
      manifest_path: manifest.location,
      manifest_length: BigInt(manifest.bytes),
      partition_spec_id: manifest.spec,
      content: manifest.content === 'data' ? 0 : 1,
      sequence_number: BigInt(manifest.sequenceNumber),
      min_sequence_number: BigInt(manifest.minSequenceNumber),
      added_snapshot_id: manifest.addedSnapshotId,
      added_files_count: manifest.addedFiles,
      existing_files_count: manifest.existingFiles,
      deleted_files_count: manifest.deletedFiles,
      added_rows_count: BigInt(manifest.addedRows),
      existing_rows_count: BigInt(manifest.existingRows),
      deleted_rows_count: BigInt(manifest.deletedRows),
      partitions: manifest.partitions.map(({ containsNull, containsNan, lower, upper }) => ({
        contains_null: containsNull,
        contains_nan: containsNan,
        lower_bound: buffer(lower),
        upper_bound: buffer(upper),
      })),
      key_metadata: buffer(manifest.keyMetadata),
    })),
  })
}

/** @param name for messages. @throws InletError TABLE_UNREADABLE */
export function decodeManifestList(name: string, body: Uint8Array): ManifestFile[] {
  const { schema, records } = decodeAvroFile(name, body)
  const ids = new FieldIds(schema)
  return records.map((from) => {
    /** Lists of the first version need not count, and readers skip a manifest whose counts are zero. */
    const count = (id: number): number => {
      const value = ids.get(from, id)
      if (value === null || value === undefined)
        throw new InletError(
          'TABLE_UNREADABLE',
          `${name}: a manifest is listed without its counts; rewrite the table's manifests first`,
        )
      return Number(value)
    }
    const summaries = (ids.get(from, 507) ?? []) as readonly unknown[]
    const summary = summaries.length === 0 ? undefined : ids.within(507)
    return {
      location: ids.get(from, 500) as string,
      bytes: count(501),
      spec: count(502),
      content: Number(ids.get(from, 517) ?? 0) === 0 ? 'data' : 'deletes',
      sequenceNumber: Number(ids.get(from, 515) ?? 0),
      minSequenceNumber: Number(ids.get(from, 516) ?? 0),
      addedSnapshotId: ids.get(from, 503) as bigint,
      addedFiles: count(504),
      existingFiles: count(505),
      deletedFiles: count(506),
      addedRows: count(512),
      existingRows: count(513),
      deletedRows: count(514),
      partitions: summaries.map((part) => ({
        containsNull: summary?.get(part, 509) === true,
        containsNan: (summary?.get(part, 518) as boolean | null | undefined) ?? null,
        lower: (summary?.get(part, 510) as Uint8Array | null | undefined) ?? null,
        upper: (summary?.get(part, 511) as Uint8Array | null | undefined) ?? null,
      })),
      keyMetadata: (ids.get(from, 519) as Uint8Array | null | undefined) ?? null,
    }
  })
}

function buffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}
