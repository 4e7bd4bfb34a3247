import path from 'node:path'
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteTableCommand,
  GetTableCommand,
  type Table as GlueTable,
  type GlueClient,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { CatalogTable } from '#test/helpers/catalog-table.ts'
import { always, maybe } from '#test/helpers/columns.ts'
import { type Fault, FaultProxy } from '#test/helpers/fault-proxy.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'
import { runPyiceberg } from '#test/helpers/pyiceberg.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const DATABASE = 'lake_db'
const TABLE = lockedTable('readings', [always('n', 'int64'), maybe('sensor', 'string')], { sensor: 'identity' })

let moto: Moto
let tests = 0

beforeAll(async () => {
  moto = await Moto.start()
  await moto.createBucket('lake')
  await moto.glue().send(new CreateDatabaseCommand({ DatabaseInput: { Name: DATABASE } }))
}, START_TIMEOUT_MS)
afterAll(() => moto?.stop())
beforeEach(() => {
  tests += 1
})

/** The table of this test, by way of a Glue client. */
function open(glue: GlueClient = moto.glue(), database = DATABASE): CatalogTable {
  const store = new S3Store('s3://lake/lakes/one', { client: moto.s3() })
  const table = { ...TABLE, name: `readings_${tests}` }
  return new CatalogTable(openCatalog(`glue:${database}`, store, { glue }), store, table)
}

const rows = (...numbers: number[]): Row[] => numbers.map((n) => ({ n: BigInt(n), sensor: `s${n % 2}` }))

async function inGlue(name: string): Promise<GlueTable> {
  const { Table: table } = await moto.glue().send(new GetTableCommand({ DatabaseName: DATABASE, Name: name }))
  if (table === undefined) throw new Error(`Glue has no table ${name}`)
  return table
}

async function changeInGlue(name: string, change: (table: GlueTable) => Partial<TableInput>): Promise<void> {
  const found = await inGlue(name)
  const { TableType, Parameters, StorageDescriptor } = found
  const TableInput = { Name: name, TableType, Parameters, StorageDescriptor, ...change(found) }
  await moto.glue().send(new UpdateTableCommand({ DatabaseName: DATABASE, TableInput }))
}

test('a table is made once, and grows snapshot by snapshot', async () => {
  const table = open()
  const { catalog } = table.opened
  expect(await catalog.load(table.name)).toBeUndefined()
  const first = await table.first()
  expect(await catalog.create(table.name, first)).toBe('committed')
  expect(await catalog.create(table.name, await table.first())).toBe('conflict')
  const created = await table.load()
  expect(created.metadata).toEqual(first)

  const written = [...(await table.add(rows(1, 2))), ...(await table.add(rows(3))), ...(await table.add(rows(4)))]
  expect((await table.dataFiles()).sort()).toEqual(written.sort())
  const { metadata, location } = await table.load()
  expect(metadata.snapshots).toHaveLength(3)
  expect(location).toMatch(
    new RegExp(`^s3://lake/lakes/one/tables/${table.name}/metadata/00003-[0-9a-f-]{36}\\.metadata\\.json$`),
  )
  expect(metadata['metadata-log'].map((entry) => entry['metadata-file'].slice(-56, -51))).toEqual([
    '00000',
    '00001',
    '00002',
  ])
  const glue = await inGlue(table.name)
  expect(glue).toMatchObject({
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      table_type: 'ICEBERG',
      metadata_location: location,
      previous_metadata_location: metadata['metadata-log'].at(-1)?.['metadata-file'],
    },
    StorageDescriptor: { Location: metadata.location },
  })
  expect(glue.StorageDescriptor?.Columns?.slice(0, 3)).toEqual([
    columnInGlue('n', 'bigint', 1, false),
    columnInGlue('sensor', 'string', 2, true),
    columnInGlue('_epoch', 'int', 3, false),
  ])
})

const columnInGlue = (Name: string, Type: string, id: number, isOptional: boolean): object => {
  const Parameters = { 'iceberg.field.id': `${id}`, 'iceberg.field.optional': `${isOptional}` }
  return { Name, Type, Parameters: { ...Parameters, 'iceberg.field.current': 'true' } }
}

test('eight committers at a time: each append is there once', async () => {
  await open().create()
  const committers = Array.from({ length: 8 }, () => open())
  const written = await Promise.all(
    committers.map(async (committer, i) => [
      ...(await committer.add(rows(2 * i))),
      ...(await committer.add(rows(2 * i + 1))),
    ]),
  )
  const table = open()
  expect((await table.dataFiles()).sort()).toEqual(written.flat().sort())
  const { snapshots } = (await table.load()).metadata
  expect(snapshots.map((snapshot) => snapshot['sequence-number'])).toEqual(snapshots.map((_, i) => i + 1))
  expect(snapshots).toHaveLength(16)
  expect(committers.reduce((sum, { conflicts }) => sum + conflicts, 0)).toBeGreaterThan(0)
})

test('what others have put into the table stays; a version that was made before is a conflict', async () => {
  const table = open()
  await table.create()
  await table.add(rows(1))
  const base = await table.load()
  await changeInGlue(table.name, ({ Parameters, StorageDescriptor: storage }) => {
    const [n, ...others] = storage?.Columns ?? []
    return {
      Description: 'of the lab',
      Owner: 'lab',
      Retention: 7,
      Parameters: { ...Parameters, 'team:cost': '42' },
      StorageDescriptor: {
        ...storage,
        Columns: [{ ...n, Name: 'n', Comment: 'a number' }, ...others, { Name: 'by_hand', Type: 'string' }],
        AdditionalLocations: ['s3://lake/elsewhere'],
      },
    }
  })
  expect(await table.commit(base, await table.next(base, rows(2)))).toBe('conflict')
  await table.add(rows(3))
  const { Description, Owner, Retention, Parameters, StorageDescriptor: storage } = await inGlue(table.name)
  const { location } = await table.load()
  expect({ Description, Owner, Retention }).toEqual({ Description: 'of the lab', Owner: 'lab', Retention: 7 })
  expect(Parameters).toMatchObject({ 'team:cost': '42', metadata_location: location })
  expect(storage?.AdditionalLocations).toEqual(['s3://lake/elsewhere'])
  expect(storage?.Columns?.[0]?.Comment).toBe('a number')
  expect(storage?.Columns?.map(({ Name }) => Name)).toEqual([...(await columnNames(table)), 'by_hand'])
  expect(await table.dataFiles()).toHaveLength(2)
})

async function columnNames(table: CatalogTable): Promise<string[]> {
  return (await table.load()).metadata.schemas[0]?.fields.map(({ name }) => name) ?? []
}

describe('an answer that is lost', () => {
  let proxy: FaultProxy
  beforeEach(async () => {
    proxy = await FaultProxy.start(moto.endpoint)
  })
  afterEach(() => proxy.close())
  const faulty = (): CatalogTable => open(moto.glue({ endpoint: proxy.endpoint }))

  /** What happens to each attempt at a call, from the first on; to those behind, what happened to the last. */
  function plan(call: string, ...faults: readonly (Fault | undefined | (() => Promise<void>))[]): void {
    let attempts = 0
    proxy.plan = async ({ headers }) => {
      if (headers['x-amz-target'] !== `AWSGlue.${call}`) return undefined
      const fault = faults[Math.min(attempts++, faults.length - 1)]
      if (typeof fault !== 'function') return fault
      await fault()
      return undefined
    }
  }

  test.each<[string, (Fault | undefined)[]]>([
    ['once: what is sent again is refused, for the first has worked', ['closeAfter', undefined]],
    ['for good', ['closeAfter']],
    ['for good, with an answer that is an error', ['internalErrorAfter']],
  ])(
    'of a commit, %s',
    async (_, faults) => {
      const table = faulty()
      await table.create()
      const base = await table.load()
      plan('UpdateTable', ...faults)
      expect(await table.commit(base, await table.next(base, rows(1)))).toBe('committed')
      expect((await table.load()).metadata['metadata-log']).toHaveLength(1)
      expect(await table.dataFiles()).toHaveLength(1)
    },
    60_000,
  )

  test('of a commit that another one follows at once', async () => {
    const table = faulty()
    await table.create()
    const base = await table.load()
    const other = open()
    plan('UpdateTable', 'closeAfter', async () => {
      await other.add(rows(2))
    })
    expect(await table.commit(base, await table.next(base, rows(1)))).toBe('committed')
    expect(await table.dataFiles()).toHaveLength(2)
  })

  test('of a request that did not arrive: nothing has happened, and the same can be tried again', async () => {
    const table = faulty()
    await table.create()
    const base = await table.load()
    const next = await table.next(base, rows(1))
    plan('UpdateTable', 'closeBefore')
    await expect(table.commit(base, next)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
    expect(await table.load()).toEqual(base)
    plan('UpdateTable', undefined)
    expect(await table.commit(base, next)).toBe('committed')
  }, 60_000)

  test('of a request that did not arrive, while another commit came first', async () => {
    const table = faulty()
    await table.create()
    const base = await table.load()
    const next = await table.next(base, rows(1))
    plan('UpdateTable', async () => {
      await open().add(rows(2))
    })
    expect(await table.commit(base, next)).toBe('conflict')
    expect(await table.dataFiles()).toHaveLength(1)
  })

  test('of a table that is made, once or for good', async () => {
    const table = faulty()
    const first = await table.first()
    plan('CreateTable', 'closeAfter', undefined)
    expect(await table.opened.catalog.create(table.name, first)).toBe('committed')
    await moto.glue().send(new DeleteTableCommand({ DatabaseName: DATABASE, Name: table.name }))
    plan('CreateTable', 'closeAfter')
    expect(await table.opened.catalog.create(table.name, first)).toBe('committed')
    expect(await table.opened.catalog.create(table.name, await table.first())).toBe('conflict')
    expect((await table.load()).metadata['table-uuid']).toBe(first['table-uuid'])
  }, 60_000)
})

describe('what is refused', () => {
  test('a database that is not there', async () => {
    const table = open(moto.glue(), 'no_such_db')
    expect(await table.opened.catalog.load(table.name)).toBeUndefined()
    await expect(table.create()).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringMatching(
        /^cannot make Glue's table no_such_db\.\w+: EntityNotFoundException .*Make the database no_such_db in Glue/,
      ),
    })
  })

  test('another kind of table, and one that has no metadata', async () => {
    const table = open()
    const { name } = table
    const TableInput = { Name: name, TableType: 'EXTERNAL_TABLE', Parameters: { classification: 'parquet' } }
    await moto.glue().send(new CreateTableCommand({ DatabaseName: DATABASE, TableInput }))
    const refused = { code: 'TABLE_UNREADABLE', message: expect.stringContaining('is not an Iceberg table') }
    await expect(table.load()).rejects.toMatchObject(refused)
    await expect(table.create()).rejects.toMatchObject(refused)
    expect((await inGlue(name)).Parameters).toEqual({ classification: 'parquet' })
    await changeInGlue(name, () => ({ Parameters: { table_type: 'ICEBERG' } }))
    await expect(table.load()).rejects.toMatchObject({ code: 'TABLE_UNREADABLE' })
  })

  test('a table that lies outside the lake', async () => {
    const table = open()
    await table.create()
    await changeInGlue(table.name, ({ Parameters }) => ({
      Parameters: { ...Parameters, metadata_location: 's3://elsewhere/metadata/00000-1.metadata.json' },
    }))
    await expect(table.load()).rejects.toMatchObject({ code: 'TABLE_UNREADABLE' })
  })

  test('a table that was dropped, or made anew, between load and commit', async () => {
    const table = open()
    await table.create()
    const base = await table.load()
    const next = await table.next(base, rows(1))
    await moto.glue().send(new DeleteTableCommand({ DatabaseName: DATABASE, Name: table.name }))
    expect(await table.commit(base, next)).toBe('conflict')
    await table.create()
    // Moto begins to count anew, too: the id tells them apart.
    expect((await table.load()).token).toBe(base.token)
    expect(await table.commit(base, next)).toBe('conflict')
    expect(await table.dataFiles()).toEqual([])
  })
})

test(
  'pyiceberg reads the table and adds to it, and so do we behind it',
  async () => {
    const table = open()
    await table.create()
    await table.add(rows(1, 2))
    await table.add(rows(3))
    const append = [
      { n: 4, sensor: 's0', _epoch: 0, _kafka_partition: 0, _offset: 4, _index: 0, _timestamp: 1_700_000_000_000_000 },
    ]
    const request = { properties: moto.pyicebergProperties(), table: `${DATABASE}.${table.name}`, append }
    expect(await runPyiceberg(path.join(import.meta.dirname, 'glue-pyiceberg.py'), request)).toEqual({
      before: [1, 2, 3],
      after: [1, 2, 3, 4],
      operations: ['append', 'append', 'append'],
    })
    await table.add(rows(5))
    expect(await table.dataFiles()).toHaveLength(5)
    const { metadata } = await table.load()
    expect(metadata.snapshots).toHaveLength(4)
    expect(metadata['metadata-log']).toHaveLength(4)
  },
  VENV_TIMEOUT_MS,
)
