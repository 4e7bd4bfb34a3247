import { parquetMetadata, type SchemaElement } from 'hyparquet'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'
import { askParquet } from '#test/helpers/duckdb-reader.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { parquetOf } from '#test/helpers/sampled-table.ts'

type Written = Partial<SchemaElement>

/** The schema of a file of these columns, as it is written, without the root. */
function schemaOf(...columns: Column[]): Written[] {
  const [root, ...elements] = parquetMetadata(parquetOf(columns, [])).schema.map(defined)
  expect(root).toEqual({ name: 'root', num_children: columns.length })
  return elements
}

/** Without what is not written. */
function defined(element: SchemaElement): Written {
  return Object.fromEntries(Object.entries(element).filter(([, value]) => value !== undefined))
}

const UTC = { type: 'TIMESTAMP', isAdjustedToUTC: true } as const
const LOCAL = { type: 'TIMESTAMP', isAdjustedToUTC: false } as const
const fixed = (precision: number, scale: number, type_length: number): Written => ({
  ...decimalOf(precision, scale, 'FIXED_LEN_BYTE_ARRAY'),
  type_length,
})
function decimalOf(precision: number, scale: number, type: NonNullable<SchemaElement['type']>): Written {
  return { type, converted_type: 'DECIMAL', precision, scale, logical_type: { type: 'DECIMAL', precision, scale } }
}

test.each<[string, ColumnType, Written]>([
  ['string', { kind: 'string' }, { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }],
  ['binary', { kind: 'binary' }, { type: 'BYTE_ARRAY' }],
  ['boolean', { kind: 'boolean' }, { type: 'BOOLEAN' }],
  ['int32', { kind: 'int32' }, { type: 'INT32' }],
  ['int64', { kind: 'int64' }, { type: 'INT64' }],
  ['float', { kind: 'float' }, { type: 'FLOAT' }],
  ['double', { kind: 'double' }, { type: 'DOUBLE' }],
  ['date', { kind: 'date' }, { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }],
  ['uuid', { kind: 'uuid' }, { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }],
  [
    'microseconds of UTC',
    timestamp('us', true),
    { type: 'INT64', converted_type: 'TIMESTAMP_MICROS', logical_type: { ...UTC, unit: 'MICROS' } },
  ],
  [
    'milliseconds of UTC',
    timestamp('ms', true),
    { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', logical_type: { ...UTC, unit: 'MILLIS' } },
  ],
  // Without the older annotation, which would mean UTC.
  ['microseconds of no zone', timestamp('us', false), { type: 'INT64', logical_type: { ...LOCAL, unit: 'MICROS' } }],
  ['milliseconds of no zone', timestamp('ms', false), { type: 'INT64', logical_type: { ...LOCAL, unit: 'MILLIS' } }],
  ['a decimal of 1 digit', decimal(1, 0), decimalOf(1, 0, 'INT32')],
  ['a decimal of 9 digits', decimal(9, 2), decimalOf(9, 2, 'INT32')],
  ['a decimal of 10 digits', decimal(10, 10), decimalOf(10, 10, 'INT64')],
  ['a decimal of 18 digits', decimal(18, 0), decimalOf(18, 0, 'INT64')],
  ['a decimal of 19 digits', decimal(19, 3), fixed(19, 3, 9)],
  ['a decimal of 21 digits', decimal(21, 0), fixed(21, 0, 9)],
  ['a decimal of 22 digits', decimal(22, 0), fixed(22, 0, 10)],
  ['a decimal of 38 digits', decimal(38, 38), fixed(38, 38, 16)],
])('%s', (_, type, written) => {
  expect(schemaOf(maybe('a', type), always('b', type))).toEqual([
    { name: 'a', repetition_type: 'OPTIONAL', ...written },
    { name: 'b', repetition_type: 'REQUIRED', ...written },
  ])
})

test('a decimal has as few bytes as hold its greatest number', () => {
  for (let precision = 19; precision <= 38; precision++) {
    const [element] = schemaOf(maybe('a', decimal(precision, 0)))
    let bytes = 1
    while (10n ** BigInt(precision) > 2n ** BigInt(8 * bytes - 1)) bytes += 1
    expect([precision, element?.type_length]).toEqual([precision, bytes])
  }
})

const INT32 = { repetition_type: 'REQUIRED', type: 'INT32' } as const
const LIST = { num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } } as const
const MAP = { num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } } as const
const KEY = {
  name: 'key',
  repetition_type: 'REQUIRED',
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
} as const

test('a list has three levels', () => {
  expect(schemaOf(maybe('l', listOf(always, 'int32')), always('m', listOf(maybe, 'int32')))).toEqual([
    { name: 'l', repetition_type: 'OPTIONAL', ...LIST },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', ...INT32 },
    { name: 'm', repetition_type: 'REQUIRED', ...LIST },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', ...INT32, repetition_type: 'OPTIONAL' },
  ])
})

test('a map has keys that are never null', () => {
  expect(schemaOf(maybe('m', mapOf(maybe, 'int32')), always('n', mapOf(always, 'int32')))).toEqual([
    { name: 'm', repetition_type: 'OPTIONAL', ...MAP },
    { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
    KEY,
    { name: 'value', ...INT32, repetition_type: 'OPTIONAL' },
    { name: 'n', repetition_type: 'REQUIRED', ...MAP },
    { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
    KEY,
    { name: 'value', ...INT32 },
  ])
})

test('structs, lists and maps within one another', () => {
  const inner = structOf(always('m', mapOf(always, listOf(always, 'int32'))), maybe('i', 'int32'))
  expect(schemaOf(always('s', structOf(maybe('l', listOf(maybe, inner)))))).toEqual([
    { name: 's', repetition_type: 'REQUIRED', num_children: 1 },
    { name: 'l', repetition_type: 'OPTIONAL', ...LIST },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', num_children: 2 },
    { name: 'm', repetition_type: 'REQUIRED', ...MAP },
    { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
    KEY,
    { name: 'value', repetition_type: 'REQUIRED', ...LIST },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', ...INT32 },
    { name: 'i', ...INT32, repetition_type: 'OPTIONAL' },
  ])
})

test('the UTC flag is there when it is false too', async () => {
  const file = parquetOf([maybe('local', timestamp('us', false)), maybe('utc', timestamp('us', true))], [])
  const schema = await askParquet(file, (path) => `SELECT name, logical_type FROM parquet_schema('${path}') OFFSET 1`)
  expect(
    schema.map(({ name, logical_type }) => [name, /isAdjustedToUTC=(\d)/.exec(String(logical_type))?.[1]]),
  ).toEqual([
    ['local', '0'],
    ['utc', '1'],
  ])
})

test('fields carry their ids, at every depth; the repeated groups of lists and maps have none', () => {
  const nested = structOf(maybe('l', listOf(always, 'int32')), maybe('m', mapOf(maybe, 'string')))
  const { columns } = lockedTable('t', [always('a', 'uuid'), maybe('s', nested), always('d', decimal(20, 2))])
  const ids = schemaOf(...columns.filter(({ name }) => !name.startsWith('_'))).map(({ name, field_id }) => [
    name,
    field_id,
  ])
  expect(ids).toEqual([
    ['a', 1],
    ['s', 2],
    ['l', 3],
    ['list', undefined],
    ['element', 4],
    ['m', 5],
    ['key_value', undefined],
    ['key', 6],
    ['value', 7],
    ['d', 8],
  ])
})
