import { registerPartitions } from '#shared/lake/glue-partitions.ts'
import type { DataFile, PartitionValues } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { partitionOf, partitionValues } from '#shared/pipeline/partition.ts'
import { partitionPath } from '#shared/pipeline/partition-path.ts'
import { defineTable, type Table, type TableOptions } from '#shared/pipeline/table.ts'
import { always, maybe } from '#test/helpers/columns.ts'
import { type GlueCall, glueAnswering, GlueRefusal } from '#test/helpers/glue-answers.ts'

const COLUMNS = [
  always('Carrier', 'string'),
  maybe('at', { kind: 'timestamp', unit: 'us', utc: true }),
  maybe('id', 'uuid'),
]
const AUDIT = ['_epoch', '_kafka_partition', '_offset', '_index', '_timestamp']

const tableBy = (partitionBy: TableOptions['partitionBy'], options: TableOptions = {}): Table =>
  defineTable('flights', COLUMNS, { layout: 'files', ...options, ...(partitionBy && { partitionBy }) })
const BY_DAY = tableBy({ at: 'day' })

/** A file of the table partition of a row. */
function fileOf(table: Table, row: Row, name = 'a'): DataFile {
  const placed = partitionOf(row, table.partitionSpec)
  const values = placed.ok ? placed.value : []
  const partition: PartitionValues = partitionValues(values, table.partitionSpec)
  const path = `tables/flights/data/${partitionPath(values, table.partitionSpec)}/${name}.parquet`
  return { table: 'flights', path, partition, rows: 1, bytes: 1, sha256: '' }
}
const onDay = (day: number, name = 'a'): DataFile => fileOf(BY_DAY, { at: new Date(day * 86_400_000) }, name)

/** What Glue knows a table by that was made here. */
function inGlue(create: GlueCall | undefined): object {
  return { Table: { ...(create?.input['TableInput'] as object), VersionId: '3' } }
}

/** Registers with a Glue that has no table, or the one that answers. */
async function register(
  table: Table,
  files: readonly DataFile[],
  answers: Readonly<Record<string, (call: GlueCall) => object>> = {},
): Promise<{ added: number | Error; calls: readonly GlueCall[] }> {
  const missing = (): object => new GlueRefusal('EntityNotFoundException')
  const all: Record<string, (call: GlueCall) => object> = { GetTable: missing, ...answers }
  const { glue, calls } = glueAnswering((call) => all[call.operation]?.(call) ?? {})
  const place = { glue, database: 'db', lakeUrl: 's3://lake/prod/' }
  const added = await registerPartitions(place, table, files).catch((error: unknown) => error as Error)
  return { added, calls }
}

const called = (calls: readonly GlueCall[], operation: string): GlueCall[] =>
  calls.filter((call) => call.operation === operation)
const inputs = (calls: readonly GlueCall[]): { Values: string[]; StorageDescriptor: Record<string, unknown> }[] =>
  called(calls, 'BatchCreatePartition').flatMap(({ input }) => input['PartitionInputList'] as never)

test('a table is made as Athena reads it, and partitions below it', async () => {
  const { added, calls } = await register(BY_DAY, [onDay(0), onDay(1), onDay(1, 'b')])
  expect(added).toBe(2)
  expect(calls.map(({ operation }) => operation)).toEqual(['GetTable', 'CreateTable', 'BatchCreatePartition'])
  const [create] = called(calls, 'CreateTable')
  const storage = {
    InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
    Columns: [
      { Name: 'carrier', Type: 'string' },
      { Name: 'at', Type: 'timestamp' },
      { Name: 'id', Type: 'binary' },
      ...['int', 'int', 'bigint', 'int', 'timestamp'].map((Type, i) => ({ Name: AUDIT[i], Type })),
    ],
  }
  expect(create?.input).toEqual({
    DatabaseName: 'db',
    TableInput: {
      Name: 'flights',
      TableType: 'EXTERNAL_TABLE',
      Parameters: { EXTERNAL: 'TRUE', classification: 'parquet' },
      PartitionKeys: [{ Name: 'at_day', Type: 'string' }],
      StorageDescriptor: { ...storage, Location: 's3://lake/prod/tables/flights/data/' },
    },
  })
  expect(inputs(calls)).toEqual(
    ['1970-01-01', '1970-01-02'].map((day) => {
      const Location = `s3://lake/prod/tables/flights/data/at_day=${day}/`
      return { Values: [day], StorageDescriptor: { ...storage, Location } }
    }),
  )
})

test('JSON Lines are read by a JSON SerDe, and have text where JSON has nothing better', async () => {
  const { calls } = await register(tableBy({}, { format: 'jsonl.zst' }), [])
  expect(called(calls, 'CreateTable')[0]?.input['TableInput']).toMatchObject({
    Parameters: { classification: 'json' },
    PartitionKeys: [],
    StorageDescriptor: {
      InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
      SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
      Columns: expect.arrayContaining([{ Name: 'id', Type: 'string' }]),
    },
  })
})

test('a table without partitions is made, and has none to add', async () => {
  const table = tableBy({})
  const { added, calls } = await register(table, [fileOf(table, {})])
  expect(added).toBe(0)
  expect(calls.map(({ operation }) => operation)).toEqual(['GetTable', 'CreateTable'])
})

test('values are whole, as Hive has them: text that no directory can hold, null, and what a directory shows', async () => {
  const table = tableBy({ Carrier: 'identity', at: 'hour', id: { bucket: 5 } })
  const long = `50% / ${'ü'.repeat(200)}`
  const id = '01234567-89ab-4cde-8f01-23456789abcd'
  const files = [
    fileOf(table, { Carrier: long, at: new Date('2013-01-31T17:00:00Z'), id }),
    fileOf(table, { Carrier: '', at: null, id: null }),
  ]
  const { added, calls } = await register(table, files)
  expect(added).toBe(2)
  expect(inputs(calls).map(({ Values }) => Values)).toEqual([
    [long, '2013-01-31-17', files[0]?.path.match(/id_bucket=(\d)/)?.[1]],
    Array.from({ length: 3 }, () => '__HIVE_DEFAULT_PARTITION__'),
  ])
  // What is read from the directory is no column of the files.
  const input = called(calls, 'CreateTable')[0]?.input['TableInput'] as Record<string, { Columns: { Name: string }[] }>
  expect(input['StorageDescriptor']?.Columns.map(({ Name }) => Name)).toEqual(['at', 'id', ...AUDIT])
  expect(inputs(calls)[0]?.StorageDescriptor['Location']).toMatch(
    /\/carrier=50%25 %2F ü+~[0-9a-f]{16}\/at_hour=2013-01-31-17\/id_bucket=\d\/$/i,
  )
})

test('a hundred at a time', async () => {
  const { added, calls } = await register(
    BY_DAY,
    Array.from({ length: 250 }, (_, day) => onDay(day)),
  )
  expect(added).toBe(250)
  const sizes = called(calls, 'BatchCreatePartition').map(
    ({ input }) => (input['PartitionInputList'] as unknown[]).length,
  )
  expect(sizes).toEqual([100, 100, 50])
})

describe('a table that Glue knows', () => {
  const made = async (table = BY_DAY): Promise<Record<string, unknown>> => {
    const { calls } = await register(table, [])
    return (inGlue(called(calls, 'CreateTable')[0]) as { Table: Record<string, unknown> }).Table
  }

  test('is left as it is, and says how its partitions are read', async () => {
    const table = await made()
    const storage = { ...(table['StorageDescriptor'] as object), Parameters: { by: 'hand' } }
    const GetTable = (): object => ({ Table: { ...table, StorageDescriptor: storage } })
    const { calls } = await register(BY_DAY, [onDay(0)], { GetTable })
    expect(calls.map(({ operation }) => operation)).toEqual(['GetTable', 'BatchCreatePartition'])
    expect(inputs(calls)[0]?.StorageDescriptor).toMatchObject({ Parameters: { by: 'hand' } })
  })

  test('is given the columns that it lacks', async () => {
    const table = await made()
    const storage = table['StorageDescriptor'] as { Columns: { Name: string }[] }
    const Columns = [...storage.Columns.filter(({ Name }) => Name !== 'id'), { Name: 'by_hand', Type: 'string' }]
    const found = { ...table, Owner: 'lab', StorageDescriptor: { ...storage, Columns } }
    const { calls } = await register(BY_DAY, [onDay(0)], { GetTable: () => ({ Table: found }) })
    const grown = { ...storage, Columns: [...Columns, { Name: 'id', Type: 'binary' }] }
    expect(called(calls, 'UpdateTable').map(({ input }) => input)).toEqual([
      {
        DatabaseName: 'db',
        VersionId: '3',
        TableInput: { ...table, VersionId: undefined, Owner: 'lab', StorageDescriptor: grown },
      },
    ])
    expect(inputs(calls)[0]?.StorageDescriptor['Columns']).toEqual(grown.Columns)
  })

  test.each([
    [{ Parameters: { table_type: 'ICEBERG' } }, "Glue's table db.flights is of the type ICEBERG, not of plain files"],
    [{ PartitionKeys: [{ Name: 'day', Type: 'string' }] }, 'is partitioned by (day), and the pipeline by (at_day)'],
    [{ PartitionKeys: undefined }, 'is partitioned by (), and the pipeline by (at_day)'],
  ])('is left alone when it is another: %j', async (other, message) => {
    const table = { ...(await made()), ...other }
    const { added, calls } = await register(BY_DAY, [onDay(0)], { GetTable: () => ({ Table: table }) })
    expect(added).toMatchObject({ code: 'TABLE_CHANGED', message: expect.stringContaining(message) })
    expect(calls.map(({ operation }) => operation)).toEqual(['GetTable'])
  })

  test('that another writer has made in between', async () => {
    const table = await made()
    const looks = [new GlueRefusal('EntityNotFoundException')]
    const { added, calls } = await register(BY_DAY, [onDay(0)], {
      GetTable: () => looks.shift() ?? { Table: table },
      CreateTable: () => new GlueRefusal('AlreadyExistsException'),
    })
    expect(added).toBe(1)
    expect(calls).toHaveLength(4)
  })
})

describe('what Glue does not take', () => {
  const errors = (...names: string[]): object => ({
    Errors: names.map((ErrorCode, day) => {
      return { PartitionValues: [`1970-01-0${day + 1}`], ErrorDetail: { ErrorCode, ErrorMessage: 'Because.' } }
    }),
  })

  test('what it knows already is no fault', async () => {
    const BatchCreatePartition = (): object => errors('AlreadyExistsException', 'AlreadyExistsException')
    const { added } = await register(BY_DAY, [onDay(0), onDay(1), onDay(2)], { BatchCreatePartition })
    expect(added).toBe(1)
  })

  test('is named, when all others were taken', async () => {
    const days = Array.from({ length: 101 }, (_, day) => onDay(day))
    const BatchCreatePartition = ({ input }: GlueCall): object =>
      (input['PartitionInputList'] as unknown[]).length === 1
        ? {}
        : errors('InternalServiceException', 'AlreadyExistsException', 'InvalidInputException')
    const { added, calls } = await register(BY_DAY, days, { BatchCreatePartition })
    expect(called(calls, 'BatchCreatePartition')).toHaveLength(2)
    expect(added).toMatchObject({
      code: 'STORE_DENIED',
      message:
        "Glue's table db.flights did not take 2 partitions: (1970-01-01): InternalServiceException: Because.; (1970-01-03): InvalidInputException: Because.",
    })
  })

  test('may be taken another time; only the first few are named', async () => {
    const BatchCreatePartition = (): object => errors(...Array.from({ length: 5 }, () => 'InternalServiceException'))
    const { added } = await register(
      BY_DAY,
      [0, 1, 2, 3, 4].map((day) => onDay(day)),
      { BatchCreatePartition },
    )
    expect(added).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/5 partitions: .*; and 2 more$/),
    })
  })

  test('a file of another partition spec has no place; the others do', async () => {
    const old = fileOf(tableBy({ id: { bucket: 5 } }), { id: null })
    const { added, calls } = await register(BY_DAY, [old, onDay(0)])
    expect(added).toMatchObject({
      code: 'TABLE_CHANGED',
      message: expect.stringContaining(`${old.path} is not partitioned by (at_day)`),
    })
    expect(inputs(calls).map(({ Values }) => Values)).toEqual([['1970-01-01']])
  })

  test('a database that is not there', async () => {
    const { added } = await register(BY_DAY, [], { CreateTable: () => new GlueRefusal('EntityNotFoundException') })
    expect(added).toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringContaining('Make the database db in Glue'),
    })
  })
})
