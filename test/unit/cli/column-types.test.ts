import { parquetMetadata, type SchemaElement } from 'hyparquet'
import { duckdbType, icebergType, jsonType, parquetType } from '#shared/cli/column-types.ts'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { defineTable } from '#shared/pipeline/table.ts'
import { measurements } from '#test/fixtures/measurements.ts'
import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'
import { readWithDuckDB } from '#test/helpers/duckdb-reader.ts'

const SIMPLE = ['string', 'binary', 'boolean', 'int32', 'int64', 'float', 'double', 'uuid', 'date'] as const

const TYPES: readonly ColumnType[] = [
  ...SIMPLE.map((kind) => ({ kind })),
  timestamp('us', true),
  timestamp('us', false),
  timestamp('ms', true),
  timestamp('ms', false),
  decimal(9, 2),
  decimal(10, 0),
  decimal(18, 18),
  decimal(38, 10),
  listOf(maybe, 'date'),
  mapOf(always, 'int64'),
  structOf(maybe('a', 'uuid'), always('b c', listOf(maybe, timestamp('us', true)))),
]
const COLUMNS: readonly Column[] = TYPES.map((type, i) => maybe(`c${i}`, type))

/** A file of these columns, with one row of nothing but null. */
function file(): Uint8Array {
  const rows = fileRowsOf(defineTable('t', COLUMNS, { layout: 'files' }))
  rows.append({ _epoch: 0, _kafka_partition: 0, _offset: 0, _index: 0, _timestamp: 0 })
  return rows.encode({}).body
}

/** Parquet's type of the element at an index, as its file says it, and the index behind it. */
function writtenType(schema: readonly SchemaElement[], at: number): [type: string, next: number] {
  const element = schema[at] as SchemaElement
  const logical = element.logical_type
  if (element.num_children === undefined) {
    const length = element.type === 'FIXED_LEN_BYTE_ARRAY' && logical?.type === 'UUID' ? `(${element.type_length})` : ''
    return [`${element.type}${length}${logical === undefined ? '' : ` ${annotation(logical)}`}`, at + 1]
  }
  if (logical?.type === 'LIST') {
    const [type, next] = writtenType(schema, at + 2)
    return [`LIST<${type}>`, next]
  }
  if (logical?.type === 'MAP') {
    const [key, value] = writtenType(schema, at + 2)
    const [type, next] = writtenType(schema, value)
    return [`MAP<${key}, ${type}>`, next]
  }
  const fields: string[] = []
  let next = at + 1
  for (let child = 0; child < element.num_children; child++) {
    const { name } = schema[next] as SchemaElement
    const [type, behind] = writtenType(schema, next)
    fields.push(`${name}: ${type}`)
    next = behind
  }
  return [`group<${fields.join(', ')}>`, next]
}

function annotation(logical: NonNullable<SchemaElement['logical_type']>): string {
  if (logical.type === 'TIMESTAMP') return `TIMESTAMP(${logical.unit}, ${logical.isAdjustedToUTC ? 'UTC' : 'local'})`
  return logical.type === 'DECIMAL' ? `DECIMAL(${logical.precision},${logical.scale})` : logical.type
}

test('Parquet and DuckDB: as the files that are written have it', async () => {
  const bytes = file()
  const { schema } = parquetMetadata(new Uint8Array(bytes).buffer)
  const written: string[] = []
  for (let at = 1; written.length < COLUMNS.length; ) {
    const [type, next] = writtenType(schema, at)
    written.push(type)
    at = next
  }
  expect(TYPES.map(parquetType)).toEqual(written)
  const { types } = await readWithDuckDB(bytes, COLUMNS)
  const asDuckDB = TYPES.map((type) => duckdbType(type).replaceAll('TIMESTAMPTZ', 'TIMESTAMP WITH TIME ZONE'))
  expect(asDuckDB.map(unquoted)).toEqual(COLUMNS.map(({ name }) => unquoted(types[name] ?? '')))
})

const unquoted = (type: string): string => type.replaceAll('"', '')

test('Iceberg, version 2', () => {
  expect(TYPES.map(icebergType)).toEqual([
    'string',
    'binary',
    'boolean',
    'int',
    'long',
    'float',
    'double',
    'uuid',
    'date',
    'timestamptz',
    'timestamp',
    null,
    null,
    'decimal(9,2)',
    'decimal(10,0)',
    'decimal(18,18)',
    'decimal(38,10)',
    'list<date>',
    'map<string, long>',
    'struct<a: uuid, b c: list<timestamptz>>',
  ])
  for (const within of [
    listOf(maybe, timestamp('ms', true)),
    mapOf(maybe, timestamp('ms', true)),
    structOf(maybe('a', timestamp('ms', true))),
  ])
    expect(icebergType(within)).toBeNull()
})

test('JSON', () => {
  const { columns } = measurements.table
  expect(columns.slice(0, 14).map(({ name, type }) => [name, jsonType(type)])).toEqual([
    ['id', 'text: uuid'],
    ['at', 'text: ISO 8601, UTC'],
    ['atMs', 'text: ISO 8601, UTC'],
    ['local', 'text: ISO 8601'],
    ['day', 'text: date'],
    ['price', 'text: decimal'],
    ['big', 'number'],
    ['ratio', 'number'],
    ['label', 'text'],
    ['raw', 'text: base64'],
    ['tags', 'array'],
    ['parts', 'array'],
    ['blobs', 'object'],
    ['place', 'object'],
  ])
})
