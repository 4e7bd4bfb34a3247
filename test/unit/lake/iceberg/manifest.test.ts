import { decodeAvroFile } from '#shared/lake/iceberg/avro-file.ts'
import type { ContentFile } from '#shared/lake/iceberg/data-file.ts'
import { decodeManifest, encodeManifest, type Manifest, type ManifestEntry } from '#shared/lake/iceberg/manifest.ts'
import type { PartitionColumn } from '#shared/lake/iceberg/partition-spec.ts'
import { avroContainer } from '#test/helpers/avro-container.ts'

const COLUMNS: readonly PartitionColumn[] = [
  { id: 1000, name: 'day', type: 'date' },
  { id: 1001, name: 'x y', type: 'long' },
  { id: 1002, name: '9', type: 'decimal(20, 2)' },
  { id: 1003, name: 'u', type: 'uuid' },
  { id: 1004, name: 'at', type: 'timestamptz' },
  { id: 1005, name: 'b', type: 'binary' },
  { id: 1006, name: 's', type: 'string' },
  { id: 1007, name: 'is', type: 'boolean' },
  { id: 1008, name: 'x_x20y', type: 'int' },
  { id: 1009, name: 'd', type: 'decimal(9, 0)' },
]
const UUID = Buffer.from('0f8fad5bd9cb469fa16570867728950e', 'hex')
const FILE: ContentFile = {
  content: 'data',
  location: 's3://b/t/data/a.parquet',
  format: 'PARQUET',
  spec: 3,
  partition: [15_706, -5n, -1420n, UUID, 1_357_035_300_123_456n, Buffer.of(0, 255), 'é', false, 7, 10n ** 9n - 1n],
  rows: 9000,
  bytes: 3_000_000_000,
  columnSizes: new Map([
    [1, 100],
    [2, 2 ** 40],
  ]),
  valueCounts: new Map([[1, 9000]]),
  nullCounts: new Map([[1, 0]]),
  nanCounts: new Map(),
  lowerBounds: new Map([
    [1, Buffer.of(1, 0, 0, 0)],
    [2, Buffer.of()],
  ]),
  upperBounds: new Map([[1, Buffer.of(255)]]),
  splits: [4, 5_000_000_000],
  sortOrder: 1,
  keyMetadata: null,
  equalityIds: null,
  referencedDataFile: null,
}
const ADDED: ManifestEntry = {
  status: 'added',
  snapshotId: 3_051_729_675_574_597_004n,
  sequenceNumber: null,
  fileSequenceNumber: null,
  file: FILE,
}
const EXISTING: ManifestEntry = {
  status: 'existing',
  snapshotId: 1n,
  sequenceNumber: 5,
  fileSequenceNumber: 6,
  file: {
    ...FILE,
    location: 'file:///b.parquet',
    partition: COLUMNS.map(() => null),
    splits: null,
    sortOrder: null,
    keyMetadata: Buffer.of(1),
    lowerBounds: new Map(),
  },
}
const MANIFEST: Manifest = {
  schema: { type: 'struct', 'schema-id': 2, fields: [{ id: 1, name: 'a', required: true, type: 'long' }] },
  spec: { 'spec-id': 3, fields: [{ 'source-id': 1, 'field-id': 1000, name: 'day', transform: 'day' }] },
  columns: COLUMNS,
  entries: [ADDED, EXISTING, { ...EXISTING, status: 'deleted' }],
}

test('entries survive: statistics, partitions of every type, and what is not known', () => {
  expect(decodeManifest('m', encodeManifest(MANIFEST), 3, COLUMNS)).toEqual(MANIFEST.entries)
})

test('the header says of which table, spec and content a manifest is', () => {
  const { metadata } = decodeAvroFile('m', encodeManifest(MANIFEST))
  expect(metadata).toEqual({
    schema: JSON.stringify(MANIFEST.schema),
    'schema-id': '2',
    'partition-spec': JSON.stringify(MANIFEST.spec.fields),
    'partition-spec-id': '3',
    'format-version': '2',
    content: 'data',
  })
})

/** Specification, "Entries in Manifests": every field of the second version by its id, with its name. */
test('every field has its id', () => {
  const { schema } = decodeAvroFile('m', encodeManifest(MANIFEST))
  const found: string[] = []
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return
    if (Array.isArray(part)) return part.forEach(visit)
    const { name, ...rest } = part as Record<string, unknown>
    for (const [key, value] of Object.entries(rest)) {
      if (/^(?:field|element)-id$/.test(key))
        found.push(`${String(value)} ${key === 'element-id' ? 'element' : String(name)}`)
      else visit(value)
    }
  }
  visit(schema)
  const id = (line: string): number => Number(line.split(' ')[0])
  expect(found.toSorted((a, b) => id(a) - id(b)).join(', ')).toBe(
    '0 status, 1 snapshot_id, 2 data_file, 3 sequence_number, 4 file_sequence_number, ' +
      '100 file_path, 101 file_format, 102 partition, 103 record_count, 104 file_size_in_bytes, ' +
      '108 column_sizes, 109 value_counts, 110 null_value_counts, ' +
      '117 key, 118 value, 119 key, 120 value, 121 key, 122 value, ' +
      '125 lower_bounds, 126 key, 127 value, 128 upper_bounds, 129 key, 130 value, 131 key_metadata, ' +
      '132 split_offsets, 133 element, 134 content, 135 equality_ids, 136 element, ' +
      '137 nan_value_counts, 138 key, 139 value, 140 sort_order_id, 143 referenced_data_file, ' +
      '1000 day, 1001 x_x20y, 1002 _9, 1003 u, 1004 at, 1005 b, 1006 s, 1007 is, 1008 x_x20y_, 1009 d',
  )
})

describe('manifests of other writers', () => {
  const optional = (id: number, name: string, type: unknown): object => ({
    name,
    type: ['null', type],
    default: null,
    'field-id': id,
  })
  const required = (id: number, name: string, type: unknown): object => ({ name, type, 'field-id': id })
  const partition = { type: 'record', name: 'r102', fields: [optional(1000, 'renamed', 'int')] }
  const dataFile = (...more: object[]): object => ({
    type: 'record',
    name: 'r2',
    fields: [
      required(100, 'file_path', 'string'),
      required(101, 'file_format', 'string'),
      required(102, 'partition', partition),
      required(103, 'record_count', 'long'),
      required(104, 'file_size_in_bytes', 'long'),
      ...more,
    ],
  })
  const entry = (...fields: object[]): object => ({ type: 'record', name: 'manifest_entry', fields })
  const file = {
    file_path: 'f',
    file_format: 'parquet',
    partition: { renamed: 3 },
    record_count: 2,
    file_size_in_bytes: 10,
  }

  test('are read by the ids of their fields: names differ, and integers may have become longer', () => {
    const schema = entry(
      required(
        2,
        'file',
        dataFile(
          required(134, 'content', 'int'),
          optional(135, 'equality_ids', { type: 'array', items: 'long', 'element-id': 136 }),
          optional(143, 'of', 'string'),
        ),
      ),
      required(0, 'state', 'int'),
      optional(1, 'snapshot', 'long'),
      optional(3, 'data_sequence_number', 'long'),
      optional(4, 'file_sequence_number', 'long'),
    )
    const records = [
      {
        state: 1,
        snapshot: null,
        data_sequence_number: null,
        file_sequence_number: null,
        file: { ...file, content: 2, equality_ids: [1, 2], of: null },
      },
      {
        state: 0,
        snapshot: 8,
        data_sequence_number: 3,
        file_sequence_number: 4,
        file: { ...file, content: 1, equality_ids: null, of: 'g' },
      },
    ]
    const entries = decodeManifest('m', avroContainer(schema, records), 0, [{ id: 1000, name: 'p', type: 'long' }])
    expect(entries).toMatchObject([
      {
        status: 'added',
        snapshotId: null,
        sequenceNumber: null,
        file: { content: 'equality deletes', equalityIds: [1, 2], format: 'PARQUET', partition: [3n] },
      },
      {
        status: 'existing',
        snapshotId: 8n,
        sequenceNumber: 3,
        fileSequenceNumber: 4,
        file: { content: 'position deletes', referencedDataFile: 'g', rows: 2, bytes: 10 },
      },
    ])
  })

  test('of the first version lack what the second has added', () => {
    const schema = entry(
      required(0, 'status', 'int'),
      required(1, 'snapshot_id', 'long'),
      required(2, 'data_file', dataFile(required(105, 'block_size_in_bytes', 'long'))),
    )
    const body = avroContainer(schema, [{ status: 1, snapshot_id: 5, data_file: { ...file, block_size_in_bytes: 1 } }])
    const [read] = decodeManifest('m', body, 0, [{ id: 1000, name: 'p', type: 'int' }])
    expect(read).toMatchObject({
      snapshotId: 5n,
      sequenceNumber: null,
      file: { content: 'data', partition: [3], splits: null },
    })
  })

  test('a partition field that a manifest does not have is null', () => {
    const schema = entry(required(0, 'status', 'int'), required(2, 'data_file', dataFile()))
    const columns = [{ id: 1007, name: 'p', type: 'int' }]
    const [read] = decodeManifest('m', avroContainer(schema, [{ status: 1, data_file: file }]), 0, columns)
    expect(read?.file.partition).toEqual([null])
  })
})
