import path from 'node:path'
import {
  CreateNamespaceCommand,
  CreateTableBucketCommand,
  CreateTableCommand,
  DeleteTableCommand,
  type S3TablesClient,
} from '@aws-sdk/client-s3tables'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { CatalogTable } from '#test/helpers/catalog-table.ts'
import { always } from '#test/helpers/columns.ts'
import { type Fault, FaultProxy } from '#test/helpers/fault-proxy.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'
import { runPyiceberg } from '#test/helpers/pyiceberg.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const NAMESPACE = 'prod'
const TABLE = lockedTable('readings', [always('n', 'int64')])

let moto: Moto
let bucket: string
let tests = 0
const directory = temporaryDirectory()

beforeAll(async () => {
  moto = await Moto.start()
  bucket = (await moto.s3Tables().send(new CreateTableBucketCommand({ name: 'tables' }))).arn ?? ''
  await moto.s3Tables().send(new CreateNamespaceCommand({ tableBucketARN: bucket, namespace: [NAMESPACE] }))
}, START_TIMEOUT_MS)
afterAll(() => moto?.stop())
beforeEach(() => {
  tests += 1
})

/** The table of this test, by way of a client of S3 Tables. */
async function open(s3Tables: S3TablesClient = moto.s3Tables()): Promise<CatalogTable> {
  const name = `readings_${tests}`
  const lake = new DirectoryStore(directory())
  const opened = openCatalog(`s3tables:${bucket}/${NAMESPACE}`, lake, { s3Tables, s3: moto.s3() })
  const files = new S3Store(await opened.locationOf(name), { client: moto.s3() })
  return new CatalogTable(opened, files, { ...TABLE, name })
}

const rows = (...numbers: number[]): Row[] => numbers.map((n) => ({ n: BigInt(n) }))
const nameOf = (table: CatalogTable): { tableBucketARN: string; namespace: string; name: string } => {
  return { tableBucketARN: bucket, namespace: NAMESPACE, name: table.name }
}

test('a table is made where S3 wants it, once, and grows snapshot by snapshot', async () => {
  const table = await open()
  const { catalog, locationOf } = table.opened
  const location = await locationOf(table.name)
  expect(location).toMatch(/^s3:\/\/[0-9a-f-]{36}--table-s3$/)
  // It has a place, and is no table yet.
  expect(await catalog.load(table.name)).toBeUndefined()
  const first = await table.first()
  expect(await catalog.create(table.name, first)).toBe('committed')
  expect(await catalog.create(table.name, await table.first())).toBe('conflict')
  expect(await locationOf(table.name)).toBe(location)
  expect((await table.load()).metadata).toEqual(first)

  const written = [...(await table.add(rows(1, 2))), ...(await table.add(rows(3)))]
  expect((await table.dataFiles()).sort()).toEqual(written.sort())
  const loaded = await table.load()
  expect(loaded.metadata.snapshots).toHaveLength(2)
  expect(loaded.location.replace(location, '')).toMatch(/^\/metadata\/00002-[0-9a-f-]{36}\.metadata\.json$/)
})

test('eight committers at a time: each append is there once', async () => {
  await (await open()).create()
  const committers = await Promise.all(Array.from({ length: 8 }, () => open()))
  const written = await Promise.all(committers.map((committer, i) => committer.add(rows(i))))
  const table = await open()
  expect((await table.dataFiles()).sort()).toEqual(written.flat().sort())
  expect((await table.load()).metadata.snapshots).toHaveLength(8)
  expect(committers.reduce((sum, { conflicts }) => sum + conflicts, 0)).toBeGreaterThan(0)
})

test('several that ask for the place of a new table are given the same one', async () => {
  const name = `together_${tests}`
  const { opened } = await open()
  const places = await Promise.all(Array.from({ length: 4 }, () => opened.locationOf(name)))
  expect(new Set(places).size).toBe(1)
})

test('an entry that another tool has made without metadata becomes the table', async () => {
  const table = await open()
  await moto.s3Tables().send(new DeleteTableCommand(nameOf(table)))
  await moto.s3Tables().send(new CreateTableCommand({ ...nameOf(table), format: 'ICEBERG' }))
  expect(await table.opened.catalog.create(table.name, await table.first())).toBe('committed')
})

describe('an answer that is lost', () => {
  let proxy: FaultProxy
  beforeEach(async () => {
    proxy = await FaultProxy.start(moto.endpoint)
  })
  afterEach(() => proxy.close())
  const faulty = (): Promise<CatalogTable> => open(moto.s3Tables({ endpoint: proxy.endpoint }))

  /** What happens to each attempt at the swap; to those behind, what happened to the last. */
  function plan(...faults: readonly (Fault | undefined | (() => Promise<void>))[]): void {
    let attempts = 0
    proxy.plan = async ({ method, url = '' }) => {
      if (method !== 'PUT' || !url.endsWith('/metadata-location')) return undefined
      const fault = faults[Math.min(attempts++, faults.length - 1)]
      if (typeof fault !== 'function') return fault
      await fault()
      return undefined
    }
  }

  test.each<[string, (Fault | undefined)[]]>([
    ['once', ['closeAfter', undefined]],
    ['for good', ['closeAfter']],
  ])(
    'of a commit, and of a table that is made, %s',
    async (_, faults) => {
      const table = await faulty()
      plan(...faults)
      expect(await table.opened.catalog.create(table.name, await table.first())).toBe('committed')
      const base = await table.load()
      plan(...faults)
      expect(await table.commit(base, await table.next(base, rows(1)))).toBe('committed')
      expect(await table.dataFiles()).toHaveLength(1)
    },
    60_000,
  )

  test('of a commit that another one follows at once', async () => {
    const table = await faulty()
    await table.create()
    const base = await table.load()
    const other = await open()
    plan('closeAfter', async () => {
      await other.add(rows(2))
    })
    expect(await table.commit(base, await table.next(base, rows(1)))).toBe('committed')
    expect(await table.dataFiles()).toHaveLength(2)
  })

  test('of a request that did not arrive, or that came second', async () => {
    const table = await faulty()
    await table.create()
    const base = await table.load()
    const next = await table.next(base, rows(1))
    plan('closeBefore')
    await expect(table.commit(base, next)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
    const other = await open()
    plan(async () => {
      await other.add(rows(2))
    })
    expect(await table.commit(base, next)).toBe('conflict')
    expect(await table.commit(base, next)).toBe('conflict')
    expect(await table.dataFiles()).toHaveLength(1)
  }, 60_000)
})

describe('what is refused', () => {
  test('a namespace that is not there', async () => {
    const opened = openCatalog(`s3tables:${bucket}/other`, new DirectoryStore(directory()), {
      s3Tables: moto.s3Tables(),
      s3: moto.s3(),
    })
    expect(await opened.catalog.load('t')).toBeUndefined()
    await expect(opened.locationOf('t')).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringMatching(
        /^cannot make the table other\.t of arn:.*Make the table bucket, and the namespace in it/,
      ),
    })
  })

  test('a table that was dropped since S3 has chosen its place', async () => {
    const table = await open()
    const first = await table.first()
    await moto.s3Tables().send(new CreateTableCommand({ ...nameOf(table), name: 'bystander', format: 'ICEBERG' }))
    await moto.s3Tables().send(new DeleteTableCommand(nameOf(table)))
    await expect(table.opened.catalog.create(table.name, first)).rejects.toMatchObject({ stage: 'store' })
  })
})

test('its objects can be put and read, but neither listed nor deleted', async () => {
  const table = await open()
  const files = new S3Store(await table.opened.locationOf(table.name), { client: moto.s3() })
  expect(await files.putIfAbsent('metadata/a', Buffer.from('a'))).toBe('created')
  expect(await files.putIfAbsent('metadata/a', Buffer.from('b'))).toBe('taken')
  expect(await files.get('metadata/b')).toBeUndefined()
  await expect(files.delete('metadata/a')).rejects.toMatchObject({ code: 'STORE_DENIED' })
  await expect(files.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'STORE_DENIED' })
})

test(
  'pyiceberg reads the table',
  async () => {
    const table = await open()
    await table.create()
    await table.add(rows(1, 2))
    await table.add(rows(3))
    const request = { properties: moto.pyicebergProperties(), location: (await table.load()).location }
    expect(await runPyiceberg(path.join(import.meta.dirname, 's3-tables-pyiceberg.py'), request)).toEqual([1, 2, 3])
  },
  VENV_TIMEOUT_MS,
)
