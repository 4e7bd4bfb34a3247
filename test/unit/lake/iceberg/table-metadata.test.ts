import { gzipSync } from 'node:zlib'
import {
  createTable,
  currentSchema,
  currentSnapshot,
  encodeMetadata,
  numberProperty,
  parseMetadata,
  partitionColumnsOf,
  specWithId,
  type TableMetadata,
  withProperties,
} from '#shared/lake/iceberg/table-metadata.ts'
import { always, maybe, timestamp } from '#test/helpers/columns.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const { lock } = lockedTable('t', [always('at', timestamp('us', true)), maybe('s', 'string')], { at: 'day' })
const TABLE = createTable({
  uuid: 'fb072c92-a02b-11e9-ae9c-1bb7bc9eca94',
  location: 's3://b/t',
  lock,
  properties: { own: 'x' },
  now: 1000,
})

/** Metadata as the specification's Appendix C shows it, with what Inlet does not know. */
const THEIRS = `{"format-version":2,"table-uuid":"u","location":"s3://b/t","last-sequence-number":34,"last-updated-ms":1602638573590,
"last-column-id":3,"current-schema-id":1,"schemas":[{"type":"struct","schema-id":0,"fields":[{"id":1,"name":"x","required":true,"type":"long"}]},
{"type":"struct","schema-id":1,"identifier-field-ids":[1],"fields":[{"id":1,"name":"x","required":true,"type":"long","doc":"é"},{"id":2,"name":"y","required":false,"type":"decimal(9, 2)"}]}],
"default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[{"name":"x","transform":"identity","source-id":1,"field-id":1000}]}],"last-partition-id":1000,
"default-sort-order-id":3,"sort-orders":[{"order-id":3,"fields":[{"transform":"bucket[4]","source-id":3,"direction":"desc","null-order":"nulls-last"}]}],
"properties":{"read.split.target.size":"134217728"},"current-snapshot-id":3055729675574597004,
"snapshots":[{"snapshot-id":3051729675574597004,"timestamp-ms":1515100955770,"sequence-number":0,"summary":{"operation":"append"},"manifest-list":"s3://a/b/1.avro"},
{"snapshot-id":3055729675574597004,"parent-snapshot-id":3051729675574597004,"timestamp-ms":1555100955770,"sequence-number":1,"summary":{"operation":"append"},"manifest-list":"s3://a/b/2.avro","schema-id":1}],
"snapshot-log":[{"snapshot-id":3051729675574597004,"timestamp-ms":1515100955770},{"snapshot-id":3055729675574597004,"timestamp-ms":1555100955770}],
"metadata-log":[{"metadata-file":"s3://b/t/metadata/1.json","timestamp-ms":1515100}],
"refs":{"main":{"snapshot-id":3055729675574597004,"type":"branch"},"test":{"snapshot-id":3051729675574597004,"type":"tag","max-ref-age-ms":10000000}},
"statistics":[{"snapshot-id":3055729675574597004,"statistics-path":"s3://a/b/stats.puffin","file-size-in-bytes":413,"file-footer-size-in-bytes":42,"blob-metadata":[]}],"next-thing":{"a":[1]}}`

const parse = (text: string): TableMetadata => parseMetadata('v1.metadata.json', Buffer.from(text))
const without = (key: string): string => {
  const { [key]: _, ...others } = JSON.parse(THEIRS) as Record<string, unknown>
  return JSON.stringify(others)
}

test('a new table has the columns, specs and orders of its lock, and no snapshot', () => {
  expect(TABLE).toMatchObject({
    'format-version': 2,
    'last-sequence-number': 0,
    'last-updated-ms': 1000,
    'last-column-id': lock.lastColumnId,
    'current-schema-id': 0,
    'default-spec-id': 0,
    'last-partition-id': 1000,
    'default-sort-order-id': 0,
    snapshots: [],
    refs: {},
    properties: { own: 'x', 'inlet.lock-revision': '1', 'write.format.default': 'parquet' },
  })
  expect(JSON.parse(TABLE.properties['schema.name-mapping.default'] ?? '')).toHaveLength(7)
  expect(TABLE['sort-orders'].map((order) => order['order-id'])).toEqual([0, 1])
  // Rows of a slice are in the order of their offsets.
  expect(TABLE['sort-orders'][1]?.fields.map((field) => [field['source-id'], field.direction])).toEqual([
    [4, 'asc'],
    [5, 'asc'],
    [6, 'asc'],
  ])
  expect(currentSnapshot(TABLE)).toBeUndefined()
  expect(currentSchema(TABLE).fields[0]?.name).toBe('at')
})

test('metadata survives, with all digits of its ids', () => {
  expect(parseMetadata('m', encodeMetadata(TABLE))).toEqual(TABLE)
  const theirs = parse(THEIRS)
  expect(theirs['current-snapshot-id']).toBe(3_055_729_675_574_597_004n)
  expect(currentSnapshot(theirs)?.['parent-snapshot-id']).toBe(3_051_729_675_574_597_004n)
  const again = encodeMetadata(theirs)
  expect(parseMetadata('m', again)).toEqual(theirs)
  expect(Buffer.from(again).toString()).toContain('"parent-snapshot-id":3051729675574597004')
})

test('what other writers keep in it stays', () => {
  const kept = JSON.parse(Buffer.from(encodeMetadata(parse(THEIRS))).toString()) as Record<string, unknown>
  expect(kept).toEqual(JSON.parse(THEIRS))
})

test('it may be compressed', () => {
  expect(parseMetadata('m', gzipSync(encodeMetadata(TABLE)))).toEqual(TABLE)
})

test.each(['-1', 'null'])('a table without a snapshot may say that it is %s', (id) => {
  const metadata = parse(THEIRS.replace('"current-snapshot-id":3055729675574597004', `"current-snapshot-id":${id}`))
  expect(currentSnapshot(metadata)).toBeUndefined()
  expect(metadata).not.toHaveProperty('current-snapshot-id')
})

test.each<[string, string, string]>([
  ['no JSON', 'x', 'v1.metadata.json is not JSON'],
  ['the first version', THEIRS.replace('"format-version":2', '"format-version":1'), 'format-version'],
  ['the third version', THEIRS.replace('"format-version":2', '"format-version":3'), 'format-version'],
  ['no schemas', without('schemas'), 'v1.metadata.json: schemas: '],
  ['no sequence number', without('last-sequence-number'), 'last-sequence-number'],
  [
    'an id that is none',
    THEIRS.replace('"snapshot-id":3051729675574597004,"timestamp-ms"', '"snapshot-id":"x","timestamp-ms"'),
    'snapshots.0.snapshot-id',
  ],
])('refuses %s', (_, text, message) => {
  expect(() => parse(text)).toThrow(message)
})

test('specs and their columns are found by id, and it is said when they are missing', () => {
  expect(partitionColumnsOf(TABLE, 0)).toEqual([{ id: 1000, name: 'at_day', type: 'date' }])
  expect(() => specWithId(TABLE, 5)).toThrow('s3://b/t: its metadata names a partition spec 5 that it does not hold')
  expect(() => currentSchema({ ...TABLE, 'current-schema-id': 3 })).toThrow('names a schema that it does not hold')
})

test('properties are set and taken away, and time does not go back', () => {
  const changed = withProperties(TABLE, { own: null, more: '1' }, 500)
  expect(changed.properties).not.toHaveProperty('own')
  expect(changed).toMatchObject({ properties: { more: '1' }, 'last-updated-ms': 1000 })
  expect(withProperties(TABLE, {}, 2000)['last-updated-ms']).toBe(2000)
  expect(TABLE.properties['own']).toBe('x')
})

test.each([
  ['7', 7],
  ['', 3],
  ['x', 3],
  ['1.5', 3],
  [undefined, 3],
])('a number that a property holds: %p', (text, number) => {
  const properties = text === undefined ? {} : { n: text }
  expect(numberProperty({ ...TABLE, properties }, 'n', 3)).toBe(number)
})
