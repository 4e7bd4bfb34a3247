import {
  type PartitionColumn,
  partitionColumns,
  type PartitionSpec,
  type PartitionTuple,
  specOf,
  tupleKey,
  tupleOf,
} from '#shared/lake/iceberg/partition-spec.ts'
import { structOf } from '#shared/lake/iceberg/schema.ts'
import { always, decimal, maybe, timestamp } from '#test/helpers/columns.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const KINDS = [
  always('at', timestamp('us', true)),
  maybe('n', 'int64'),
  maybe('s', 'string'),
  maybe('d', decimal(9, 2)),
  maybe('day', 'date'),
  maybe('u', 'uuid'),
] as const
const { lock } = lockedTable('t', KINDS, {
  at: ['hour', 'identity'],
  n: [{ bucket: 4 }, { truncate: 10 }],
  s: { truncate: 2 },
  d: 'identity',
  day: 'month',
  u: 'identity',
})

test('a spec of a lock', () => {
  const spec = specOf(lock.specs[0] ?? { id: 0, fields: [] })
  expect(spec['spec-id']).toBe(0)
  expect(spec.fields.slice(0, 3)).toEqual([
    { 'source-id': 1, 'field-id': 1000, name: 'at_hour', transform: 'hour' },
    { 'source-id': 1, 'field-id': 1001, name: 'at', transform: 'identity' },
    { 'source-id': 2, 'field-id': 1002, name: 'n_bucket', transform: 'bucket[4]' },
  ])
})

test("the columns of its tuples have the transforms' results as types", () => {
  const columns = partitionColumns(specOf(lock.specs[0] ?? { id: 0, fields: [] }), [structOf(lock)])
  expect(columns.map(({ id, name, type }) => `${id} ${name} ${type}`)).toEqual([
    '1000 at_hour int',
    '1001 at timestamptz',
    '1002 n_bucket int',
    '1003 n_trunc long',
    '1004 s_trunc string',
    '1005 d decimal(9, 2)',
    '1006 day_month int',
    '1007 u uuid',
  ])
})

test('a day is a date; a column that is gone has the type that it had', () => {
  const spec: PartitionSpec = {
    'spec-id': 1,
    fields: [
      { 'source-id': 1, 'field-id': 1000, name: 'a', transform: 'day' },
      { 'source-id': 2, 'field-id': 1001, name: 'b', transform: 'identity' },
      { 'source-id': 9, 'field-id': 1002, name: 'c', transform: 'void' },
    ],
  }
  const now = { type: 'struct', fields: [{ id: 1, name: 'at', required: true, type: 'timestamptz' }] } as const
  const before = { type: 'struct', fields: [{ id: 2, name: 'b', required: true, type: 'long' }] } as const
  expect(partitionColumns(spec, [now, before]).map(({ type }) => type)).toEqual(['date', 'long', 'string'])
})

const column = (type: string): PartitionColumn => ({ id: 1000, name: 'p', type })
test.each<[string, string | number | boolean | null, unknown]>([
  ['int', -3, -3],
  ['int', null, null],
  ['date', 15_706, 15_706],
  ['date', '2013-01-01', 15_706],
  ['date', '1969-12-31', -1],
  ['long', 7, 7n],
  ['long', '9007199254740993', 9_007_199_254_740_993n],
  ['boolean', false, false],
  ['string', '', ''],
  ['string', 'null', 'null'],
  ['decimal(9, 2)', '14.20', 1420n],
  ['decimal(9, 2)', '-0.05', -5n],
  ['decimal(9, 0)', '7', 7n],
  ['uuid', '0f8fad5b-d9cb-469f-a165-70867728950e', Buffer.from('0f8fad5bd9cb469fa16570867728950e', 'hex')],
  ['binary', 'AP8=', Buffer.of(0, 255)],
  ['timestamptz', '2017-11-16T22:31:08.000001+00:00', 1_510_871_468_000_001n],
  ['timestamp', '1969-12-31T23:59:59.999999', -1n],
  ['timestamptz', '+010000-01-01T00:00:00.000000+00:00', 253_402_300_800_000_000n],
  ['timestamptz', '-000001-12-31T23:59:59.999999+00:00', -62_167_219_200_000_001n],
])('what a commit says of a partition: %s %p', (type, value, stored) => {
  expect(tupleOf({ p: value }, [column(type)])).toEqual([stored])
})

test.each([[{}], [{ q: 1 }], [{ p: 1, q: 2 }]])('%p is not of this spec', (values) => {
  expect(() => tupleOf(values, [column('int')])).toThrow('is not of p')
})

test('a key is that of one tuple only', () => {
  const tuples: PartitionTuple[] = [
    [null],
    ['null'],
    [''],
    [0],
    ['0'],
    [Buffer.of(0)],
    [Buffer.of(0, 0)],
    [true],
    [1],
    ['a', 'b'],
    ['a,b'],
  ]
  expect(new Set(tuples.map(tupleKey)).size).toBe(tuples.length)
  expect(tupleKey([Uint8Array.of(1)])).toBe(tupleKey([Buffer.of(1)]))
})
