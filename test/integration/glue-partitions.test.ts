import {
  CreateDatabaseCommand,
  GetPartitionCommand,
  GetTableCommand,
  paginateGetPartitions,
  type Partition,
} from '@aws-sdk/client-glue'
import { registerPartitions } from '#shared/lake/glue-partitions.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import { partitionOf, partitionValues } from '#shared/pipeline/partition.ts'
import { partitionPath } from '#shared/pipeline/partition-path.ts'
import { defineTable, type Table } from '#shared/pipeline/table.ts'
import { always, maybe } from '#test/helpers/columns.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'

const DATABASE = 'plain'
const COLUMNS = [always('origin', 'string'), maybe('day', 'date')]
const tableOf = (...more: Column[]): Table => {
  const partitionBy = { origin: 'identity', day: 'month' } as const
  return defineTable('flights', [...COLUMNS, ...more], { layout: 'files', partitionBy })
}

let moto: Moto

beforeAll(async () => {
  moto = await Moto.start()
  await moto.glue().send(new CreateDatabaseCommand({ DatabaseInput: { Name: DATABASE } }))
}, START_TIMEOUT_MS)
afterAll(() => moto?.stop())

function fileOf({ partitionSpec: spec }: Table, origin: string, day: string | null): DataFile {
  const placed = partitionOf({ origin, day }, spec)
  const values = placed.ok ? placed.value : []
  const path = `tables/flights/data/${partitionPath(values, spec)}/a.parquet`
  return { table: 'flights', path, partition: partitionValues(values, spec), rows: 1, bytes: 1, sha256: '' }
}

const register = (table: Table, files: readonly DataFile[]): Promise<number> =>
  registerPartitions({ glue: moto.glue(), database: DATABASE, lakeUrl: 's3://lake' }, table, files)

async function partitions(): Promise<Partition[]> {
  const found: Partition[] = []
  const pages = paginateGetPartitions({ client: moto.glue() }, { DatabaseName: DATABASE, TableName: 'flights' })
  for await (const { Partitions = [] } of pages) found.push(...Partitions)
  return found
}

test('partitions become known once, whoever adds them, and the table grows with its columns', async () => {
  const table = tableOf()
  const years = Array.from({ length: 130 }, (_, i) => String(1900 + i))
  const files = years.flatMap((year) =>
    ['EWR', 'São Paulo/GRU'].map((origin) => fileOf(table, origin, `${year}-01-31`)),
  )
  expect(await register(table, files.slice(0, 10))).toBe(10)
  const added = await Promise.all([register(table, files), register(table, files)])
  expect(added[0] + added[1]).toBe(250)
  expect(await register(table, files)).toBe(0)
  expect(await partitions()).toHaveLength(260)

  const { Partition: partition } = await moto.glue().send(
    new GetPartitionCommand({
      DatabaseName: DATABASE,
      TableName: 'flights',
      PartitionValues: ['São Paulo/GRU', '1999-01'],
    }),
  )
  expect(partition?.StorageDescriptor?.Location).toBe(
    's3://lake/tables/flights/data/origin=São Paulo%2FGRU/day_month=1999-01/',
  )

  const grown = tableOf(maybe('delay', 'int32'))
  expect(await register(grown, [fileOf(grown, 'LGA', null)])).toBe(1)
  const { Table: known } = await moto.glue().send(new GetTableCommand({ DatabaseName: DATABASE, Name: 'flights' }))
  expect(known?.PartitionKeys?.map(({ Name, Type }) => `${Name} ${Type}`)).toEqual([
    'origin string',
    'day_month string',
  ])
  expect(known?.StorageDescriptor?.Columns?.map(({ Name }) => Name)).toEqual([
    'day',
    '_epoch',
    '_kafka_partition',
    '_offset',
    '_index',
    '_timestamp',
    'delay',
  ])
  const latest = (await partitions()).find(({ Values }) => Values?.[0] === 'LGA')
  expect(latest?.Values).toEqual(['LGA', '__HIVE_DEFAULT_PARTITION__'])
  expect(latest?.StorageDescriptor?.Columns).toHaveLength(7)
})
