import type { Table } from '@aws-sdk/client-glue'
import { metadataLocationOf, movedTableInput, newTableInput } from '#shared/lake/iceberg/glue-table.ts'
import { withLock } from '#shared/lake/iceberg/table-evolution.ts'
import { createTable, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const LOCATION = 's3://lake/tables/t/metadata/00000-a.metadata.json'
const NEXT = 's3://lake/tables/t/metadata/00001-b.metadata.json'

function tableOf(columns: readonly Column[]): TableMetadata {
  const { lock } = lockedTable('t', columns)
  return createTable({ uuid: 'u', location: 's3://lake/tables/t', lock, properties: {}, now: 1 })
}

test('every type, as the reference implementation names it', () => {
  const columns = [
    ...(['string', 'binary', 'boolean', 'int32', 'int64', 'float', 'double', 'uuid', 'date'] as const),
    timestamp('us', true),
    timestamp('us', false),
    decimal(38, 10),
    listOf(maybe, 'int64'),
    mapOf(always, 'uuid'),
    structOf(maybe('a', 'int64'), always('b', listOf(maybe, timestamp('us', true)))),
  ].map((type, i) => maybe(`c${i}`, type))
  const { StorageDescriptor } = newTableInput('t', LOCATION, tableOf(columns))
  expect(StorageDescriptor?.Columns?.slice(0, columns.length).map(({ Type }) => Type)).toEqual([
    'string',
    'binary',
    'boolean',
    'int',
    'bigint',
    'float',
    'double',
    'string',
    'date',
    'timestamp',
    'timestamp',
    'decimal(38,10)',
    'array<bigint>',
    'map<string,string>',
    'struct<a:bigint,b:array<timestamp>>',
  ])
})

test('types that other writers make', () => {
  const metadata = tableOf([always('a', 'int32')])
  const fields = ['fixed[16]', 'time', 'timestamptz_ns'].map((type, i) => {
    return { id: 100 + i, name: `x${i}`, required: false, type }
  })
  const schemas = [{ type: 'struct' as const, 'schema-id': 0, fields }]
  const { StorageDescriptor } = newTableInput('t', LOCATION, { ...metadata, schemas })
  expect(StorageDescriptor?.Columns?.map(({ Type }) => Type)).toEqual(['binary', 'string', 'timestamptz_ns'])
})

test('a new table', () => {
  const input = newTableInput('t', LOCATION, tableOf([always('a', 'int32'), maybe('b', 'string')]))
  expect(input).toMatchObject({
    Name: 't',
    TableType: 'EXTERNAL_TABLE',
    Parameters: { table_type: 'ICEBERG', metadata_location: LOCATION },
    StorageDescriptor: { Location: 's3://lake/tables/t' },
  })
  expect(input.StorageDescriptor?.Columns?.slice(0, 2)).toEqual([
    {
      Name: 'a',
      Type: 'int',
      Parameters: { 'iceberg.field.id': '1', 'iceberg.field.optional': 'false', 'iceberg.field.current': 'true' },
    },
    {
      Name: 'b',
      Type: 'string',
      Parameters: { 'iceberg.field.id': '2', 'iceberg.field.optional': 'true', 'iceberg.field.current': 'true' },
    },
  ])
})

test('columns of older schemas come behind, once, and do not hide others', () => {
  const before = lockedTable('t', [always('a', 'int32'), always('gone', 'string')])
  const after = lockedTable('t', [always('a', 'int64'), maybe('new', 'string')], {}, before.lock)
  const metadata = createTable({ uuid: 'u', location: 's3://lake/t', lock: before.lock, properties: {}, now: 1 })
  const { StorageDescriptor } = newTableInput('t', LOCATION, withLock(metadata, after.lock, 2))
  const columns = StorageDescriptor?.Columns?.filter(({ Name }) => Name?.startsWith('_') === false)
  expect(columns?.map(({ Name, Type, Parameters }) => [Name, Type, Parameters?.['iceberg.field.current']])).toEqual([
    ['a', 'bigint', 'true'],
    ['new', 'string', 'true'],
    ['gone', 'string', 'false'],
  ])
})

test('what others have put into a table stays; what is of the version changes', () => {
  const metadata = tableOf([always('Aa', 'int32')])
  const made = newTableInput('t', LOCATION, metadata)
  const [a, ...others] = made.StorageDescriptor?.Columns ?? []
  const found: Table = {
    ...made,
    Name: 't',
    DatabaseName: 'db',
    CatalogId: '123456789012',
    VersionId: '4',
    CreatedBy: 'somebody',
    IsRegisteredWithLakeFormation: true,
    Description: 'of the lab',
    Owner: 'lab',
    Retention: 7,
    LastAnalyzedTime: new Date(0),
    PartitionKeys: [],
    TargetTable: { DatabaseName: 'other', Name: 'u' },
    TableType: 'MANAGED_TABLE',
    Parameters: { ...made.Parameters, 'team:cost': '42', previous_metadata_location: 's3://older' },
    StorageDescriptor: {
      ...made.StorageDescriptor,
      Location: 's3://lake/moved',
      SerdeInfo: { SerializationLibrary: 'x' },
      Columns: [
        { ...a, Name: 'aa', Comment: 'a number' },
        ...others,
        { Name: 'AA', Type: 'string' },
        { Name: 'by_hand', Type: 'string', Comment: 'mine' },
        { Name: 'renamed_since', Type: 'string', Parameters: { 'iceberg.field.id': '1' } },
      ],
    },
  }
  const input = movedTableInput(found, LOCATION, NEXT, metadata)
  expect(input).toEqual({
    Name: 't',
    Description: 'of the lab',
    Owner: 'lab',
    Retention: 7,
    LastAnalyzedTime: new Date(0),
    PartitionKeys: [],
    TargetTable: { DatabaseName: 'other', Name: 'u' },
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      table_type: 'ICEBERG',
      'team:cost': '42',
      metadata_location: NEXT,
      previous_metadata_location: LOCATION,
    },
    StorageDescriptor: {
      Location: 's3://lake/tables/t',
      SerdeInfo: { SerializationLibrary: 'x' },
      Columns: [{ ...a, Comment: 'a number' }, ...others, { Name: 'by_hand', Type: 'string', Comment: 'mine' }],
    },
  })
})

test('only an Iceberg table that has metadata is one', () => {
  const parameters = { table_type: 'iceberg', metadata_location: LOCATION }
  expect(metadataLocationOf('db.t', { Name: 't', Parameters: parameters })).toBe(LOCATION)
  const message = (table: Partial<Table>): string => {
    try {
      return metadataLocationOf('db.t', { Name: 't', ...table })
    } catch (error) {
      return String(error)
    }
  }
  expect(message({ TableType: 'VIRTUAL_VIEW' })).toContain(
    "Glue's table db.t is not an Iceberg table (it is of the type VIRTUAL_VIEW)",
  )
  expect(message({ Parameters: { ...parameters, table_type: 'DELTA' } })).toContain('(it is of the type DELTA)')
  expect(message({ Parameters: { table_type: 'ICEBERG' } })).toContain('has no parameter metadata_location')
  expect(message({ Parameters: { ...parameters, metadata_location: '' } })).toContain(
    'has no parameter metadata_location',
  )
})
