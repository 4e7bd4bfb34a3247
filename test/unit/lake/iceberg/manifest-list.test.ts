import { decodeAvroFile } from '#shared/lake/iceberg/avro-file.ts'
import type { ManifestEntry } from '#shared/lake/iceberg/manifest.ts'
import {
  decodeManifestList,
  encodeManifestList,
  type ManifestFile,
  manifestFileOf,
} from '#shared/lake/iceberg/manifest-list.ts'
import type { PartitionTuple } from '#shared/lake/iceberg/partition-spec.ts'
import { avroContainer } from '#test/helpers/avro-container.ts'

const MANIFEST: ManifestFile = {
  location: 's3://b/t/metadata/m.avro',
  bytes: 7000,
  spec: 1,
  content: 'data',
  sequenceNumber: 5,
  minSequenceNumber: 2,
  addedSnapshotId: 3_051_729_675_574_597_004n,
  addedFiles: 1,
  existingFiles: 2,
  deletedFiles: 3,
  addedRows: 10,
  existingRows: 5_000_000_000,
  deletedRows: 30,
  partitions: [
    { containsNull: true, containsNan: false, lower: Buffer.of(1), upper: Buffer.of(2) },
    { containsNull: false, containsNan: null, lower: null, upper: null },
  ],
  keyMetadata: null,
}
const SNAPSHOT = { snapshotId: 9n, parentId: 8n, sequenceNumber: 5 }

test('a list survives, delete manifests and manifests without partitions among them', () => {
  const manifests = [MANIFEST, { ...MANIFEST, content: 'deletes', partitions: [], keyMetadata: Buffer.of(7) } as const]
  expect(decodeManifestList('l', encodeManifestList(SNAPSHOT, manifests))).toEqual(manifests)
})

test('its header says of which snapshot it is', () => {
  expect(decodeAvroFile('l', encodeManifestList({ ...SNAPSHOT, parentId: null }, [])).metadata).toEqual({
    'snapshot-id': '9',
    'parent-snapshot-id': 'null',
    'sequence-number': '5',
    'format-version': '2',
  })
})

/** Specification, "Manifest Lists". */
test('every field has its id', () => {
  const text = JSON.stringify(decodeAvroFile('l', encodeManifestList(SNAPSHOT, [MANIFEST])).schema)
  const ids = [...text.matchAll(/"(?:field|element)-id":(\d+)/g)].map(([, id]) => Number(id))
  expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 500 + i))
})

describe('what a list says of a new manifest', () => {
  const entry = (
    status: ManifestEntry['status'],
    sequenceNumber: number | null,
    rows: number,
    partition: PartitionTuple,
  ): ManifestEntry => ({ status, sequenceNumber, file: { rows, partition } }) as ManifestEntry
  const place = { location: 'm', bytes: 3, spec: 0, sequenceNumber: 7, addedSnapshotId: 1n }
  const columns = [
    { id: 1000, name: 'n', type: 'int' },
    { id: 1001, name: 's', type: 'string' },
    { id: 1002, name: 'd', type: 'double' },
  ]

  test('counts by status, the least sequence number that is live, and the reach of the partitions', () => {
    const entries = [
      entry('added', null, 10, [3, '\uffff', Number.NaN]),
      entry('existing', 4, 20, [-1, null, 0]),
      entry('existing', 5, 30, [null, '\u{10000}', -0]),
      entry('deleted', 1, 40, [2, 'a', 1]),
    ]
    expect(manifestFileOf(place, entries, columns)).toEqual({
      ...place,
      content: 'data',
      minSequenceNumber: 4,
      addedFiles: 1,
      existingFiles: 2,
      deletedFiles: 1,
      addedRows: 10,
      existingRows: 50,
      deletedRows: 40,
      partitions: [
        { containsNull: true, containsNan: false, lower: bytes('ffffffff'), upper: bytes('03000000') },
        { containsNull: true, containsNan: false, lower: Buffer.from('a'), upper: Buffer.from('\u{10000}') },
        { containsNull: false, containsNan: true, lower: bytes('0000000000000080'), upper: bytes('000000000000f03f') },
      ],
      keyMetadata: null,
    })
  })

  test('new files have its own sequence number; nothing but null has no bounds', () => {
    const [column = { id: 0, name: '', type: 'int' }] = columns
    expect(manifestFileOf(place, [entry('added', null, 1, [null])], [column])).toMatchObject({
      minSequenceNumber: 7,
      partitions: [{ containsNull: true, containsNan: false, lower: null, upper: null }],
    })
  })

  const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
})

describe('lists of other writers', () => {
  const required = (id: number, name: string, type: unknown): object => ({ name, type, 'field-id': id })
  const optional = (id: number, name: string, type: unknown): object => ({
    name,
    type: ['null', type],
    default: null,
    'field-id': id,
  })
  const schema = (counts: (id: number, name: string, type: string) => object): object => ({
    type: 'record',
    name: 'manifest_file',
    fields: [
      required(500, 'manifest_path', 'string'),
      required(501, 'manifest_length', 'long'),
      required(502, 'partition_spec_id', 'int'),
      required(503, 'added_snapshot_id', 'long'),
      counts(504, 'added_data_files_count', 'int'),
      counts(505, 'existing_data_files_count', 'int'),
      counts(506, 'deleted_data_files_count', 'int'),
      counts(512, 'added_rows_count', 'long'),
      counts(513, 'existing_rows_count', 'long'),
      counts(514, 'deleted_rows_count', 'long'),
      optional(507, 'partitions', {
        type: 'array',
        'element-id': 508,
        items: {
          type: 'record',
          name: 'r508',
          fields: [required(509, 'contains_null', 'boolean'), optional(510, 'lower_bound', 'bytes')],
        },
      }),
    ],
  })
  const COUNTS = { addedFiles: 1, existingFiles: 0, deletedFiles: 0, addedRows: 3, existingRows: 0, deletedRows: 0 }
  const manifest = {
    manifest_path: 'm',
    manifest_length: 5,
    partition_spec_id: 2,
    added_snapshot_id: 7,
    added_data_files_count: 1,
    existing_data_files_count: 0,
    deleted_data_files_count: 0,
    added_rows_count: 3,
    existing_rows_count: 0,
    deleted_rows_count: 0,
    partitions: [{ contains_null: true, lower_bound: Buffer.of(1) }],
  }

  test('of the first version have data only, from before there were sequence numbers', () => {
    expect(decodeManifestList('l', avroContainer(schema(required), [manifest]))).toEqual([
      {
        ...MANIFEST,
        location: 'm',
        bytes: 5,
        spec: 2,
        sequenceNumber: 0,
        minSequenceNumber: 0,
        addedSnapshotId: 7n,
        ...COUNTS,
        partitions: [{ containsNull: true, containsNan: null, lower: Buffer.of(1), upper: null }],
      },
    ])
  })

  test('that do not count are refused: no count is not zero', () => {
    const body = avroContainer(schema(optional), [{ ...manifest, deleted_rows_count: null, partitions: null }])
    expect(() => decodeManifestList('s3://l', body)).toThrow('s3://l: a manifest is listed without its counts')
  })
})
