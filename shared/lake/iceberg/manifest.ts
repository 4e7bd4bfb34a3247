/** Manifests: which files a snapshot has, and what is known of each (specification, "Manifests"). */
import { decodeAvroFile, encodeAvroFile, type AvroSchema } from './avro-file.ts'
import {
  type AvroRecord,
  FieldIds,
  fromAvro,
  list,
  map,
  optional,
  partitionFields,
  partitionNames,
  record,
  required,
  toAvro,
} from './avro-schema.ts'
import type { ContentFile, FileContent } from './data-file.ts'
import type { PartitionColumn, PartitionSpec } from './partition-spec.ts'
import type { Schema } from './schema.ts'

export type EntryStatus = 'existing' | 'added' | 'deleted'

/** What a manifest says of one file. */
export interface ManifestEntry {
  readonly status: EntryStatus
  /** The snapshot that added the file; that deleted it, if the status says so. Null: the one that added the manifest. */
  readonly snapshotId: bigint | null
  /** How old the data is. Null of an added file: the sequence number that its manifest gets in the manifest list. */
  readonly sequenceNumber: number | null
  /** In which snapshot the file came. Null likewise. */
  readonly fileSequenceNumber: number | null
  readonly file: ContentFile
}

export interface Manifest {
  readonly schema: Schema
  readonly spec: PartitionSpec
  /** The columns of the spec's tuples. */
  readonly columns: readonly PartitionColumn[]
  readonly entries: readonly ManifestEntry[]
}

const STATUS: readonly EntryStatus[] = ['existing', 'added', 'deleted']
const CONTENT: readonly FileContent[] = ['data', 'position deletes', 'equality deletes']

/** A manifest of data files. */
export function encodeManifest({ schema, spec, columns, entries }: Manifest): Uint8Array {
  const names = partitionNames(columns)
  return encodeAvroFile({
    schema: entrySchema(columns),
    metadata: {
      schema: JSON.stringify(schema),
      'schema-id': String(schema['schema-id']),
      'partition-spec': JSON.stringify(spec.fields),
      'partition-spec-id': String(spec['spec-id']),
      'format-version': '2',
      content: 'data',
    },
    records: entries.map((entry) => ({
      status: STATUS.indexOf(entry.status),
      snapshot_id: entry.snapshotId,
      sequence_number: long(entry.sequenceNumber),
      file_sequence_number: long(entry.fileSequenceNumber),
      data_file: fileRecord(entry.file, columns, names),
    })),
  })
}

/**
 * The entries of a manifest as they are written: what is inherited from the manifest list is null.
 * @param columns of the tuples of the manifest's spec
 * @param name for messages
 * @throws InletError TABLE_UNREADABLE
 */
export function decodeManifest(
  name: string,
  body: Uint8Array,
  spec: number,
  columns: readonly PartitionColumn[],
): ManifestEntry[] {
  const { schema, records } = decodeAvroFile(name, body)
  const entry = new FieldIds(schema)
  const file = entry.within(2)
  const partition = file.within(102)
  return records.map((from) => ({
    status: STATUS[Number(entry.get(from, 0))] ?? 'existing',
    snapshotId: (entry.get(from, 1) as bigint | null | undefined) ?? null,
    sequenceNumber: number(entry.get(from, 3)),
    fileSequenceNumber: number(entry.get(from, 4)),
    file: contentFile(entry.get(from, 2), file, partition, spec, columns),
  }))
}

/** The columns of an entry; fields 105, 107 and 111 are of the first version, and no longer written. */
function entrySchema(columns: readonly PartitionColumn[]): AvroSchema {
  return record('manifest_entry', [
    required(0, 'status', 'int'),
    optional(1, 'snapshot_id', 'long'),
    optional(3, 'sequence_number', 'long'),
    optional(4, 'file_sequence_number', 'long'),
    required(
      2,
      'data_file',
      record('r2', [
        required(134, 'content', 'int'),
        required(100, 'file_path', 'string'),
        required(101, 'file_format', 'string'),
        required(102, 'partition', record('r102', partitionFields(columns))),
        required(103, 'record_count', 'long'),
        required(104, 'file_size_in_bytes', 'long'),
        optional(108, 'column_sizes', map(117, 118, 'long')),
        optional(109, 'value_counts', map(119, 120, 'long')),
        optional(110, 'null_value_counts', map(121, 122, 'long')),
        optional(137, 'nan_value_counts', map(138, 139, 'long')),
        optional(125, 'lower_bounds', map(126, 127, 'bytes')),
        optional(128, 'upper_bounds', map(129, 130, 'bytes')),
        optional(131, 'key_metadata', 'bytes'),
        optional(132, 'split_offsets', list(133, 'long')),
        optional(135, 'equality_ids', list(136, 'int')),
        optional(140, 'sort_order_id', 'int'),
        optional(143, 'referenced_data_file', 'string'),
      ]),
    ),
  ])
}

function fileRecord(file: ContentFile, columns: readonly PartitionColumn[], names: readonly string[]): unknown {
  const partition = columns.map(({ type }, i) => [names[i] ?? '', toAvro(type, file.partition[i] ?? null)] as const)
  return {
    content: CONTENT.indexOf(file.content),
    file_path: file.location,
    file_format: file.format,
    partition: Object.fromEntries(partition) as AvroRecord,
    record_count: BigInt(file.rows),
    file_size_in_bytes: BigInt(file.bytes),
    column_sizes: mapped(file.columnSizes, BigInt),
    value_counts: mapped(file.valueCounts, BigInt),
    null_value_counts: mapped(file.nullCounts, BigInt),
    nan_value_counts: mapped(file.nanCounts, BigInt),
    lower_bounds: mapped(file.lowerBounds, bufferOf),
    upper_bounds: mapped(file.upperBounds, bufferOf),
    key_metadata: file.keyMetadata === null ? null : bufferOf(file.keyMetadata),
    split_offsets: file.splits === null ? null : file.splits.map(BigInt),
    equality_ids: file.equalityIds,
    sort_order_id: file.sortOrder,
    referenced_data_file: file.referencedDataFile,
  }
}

function contentFile(
  from: unknown,
  ids: FieldIds,
  partition: FieldIds,
  spec: number,
  columns: readonly PartitionColumn[],
): ContentFile {
  const tuple = ids.get(from, 102)
  return {
    content: CONTENT[Number(ids.get(from, 134) ?? 0)] ?? 'data',
    location: ids.get(from, 100) as string,
    format: String(ids.get(from, 101)).toUpperCase(),
    spec,
    partition: columns.map(({ id, type }) => fromAvro(type, partition.get(tuple, id))),
    rows: Number(ids.get(from, 103)),
    bytes: Number(ids.get(from, 104)),
    columnSizes: numbersById(ids.get(from, 108)),
    valueCounts: numbersById(ids.get(from, 109)),
    nullCounts: numbersById(ids.get(from, 110)),
    nanCounts: numbersById(ids.get(from, 137)),
    lowerBounds: byId(ids.get(from, 125)),
    upperBounds: byId(ids.get(from, 128)),
    keyMetadata: (ids.get(from, 131) as Uint8Array | null | undefined) ?? null,
    splits: numbers(ids.get(from, 132)),
    equalityIds: numbers(ids.get(from, 135)),
    sortOrder: number(ids.get(from, 140)),
    referencedDataFile: (ids.get(from, 143) as string | null | undefined) ?? null,
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function long(value: number | null): bigint | null {
  return value === null ? null : BigInt(value)
}

function number(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}

function numbers(values: unknown): number[] | null {
  return Array.isArray(values) ? values.map(Number) : null
}

interface AvroEntry<T> {
  readonly key: number
  readonly value: T
}

function mapped<T, U>(values: ReadonlyMap<number, T>, convert: (value: T) => U): AvroEntry<U>[] | null {
  return values.size === 0 ? null : [...values].map(([key, value]) => ({ key, value: convert(value) }))
}

function byId<T>(values: unknown): Map<number, T> {
  const some = (values ?? []) as readonly AvroEntry<T>[]
  return new Map(some.map(({ key, value }) => [key, value]))
}

function numbersById(values: unknown): Map<number, number> {
  return new Map([...byId<bigint>(values)].map(([id, value]) => [id, Number(value)]))
}
