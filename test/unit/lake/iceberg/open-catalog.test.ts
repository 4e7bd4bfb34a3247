import { randomUUID } from 'node:crypto'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { createTable } from '#shared/lake/iceberg/table-metadata.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { always } from '#test/helpers/columns.ts'
import { glueAnswering } from '#test/helpers/glue-answers.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const S3 = new S3Store('s3://lake/prod')
const BUCKET = 'arn:aws:s3tables:eu-west-1:123456789012:bucket/my-tables'

test('directory: tables lie in the folders of the lake', async () => {
  const store = new DirectoryStore(directory())
  const { catalog, locationOf, filesAt } = openCatalog('directory', store)
  const location = await locationOf('flights')
  expect(location).toBe(filesAt(location).locate('tables/flights'))
  const { lock } = lockedTable('flights', [always('n', 'int64')])
  const metadata = createTable({ uuid: randomUUID(), location, lock, properties: {}, now: 1 })
  expect(await catalog.create('flights', metadata)).toBe('committed')
  expect(await store.size('tables/flights/metadata/v1.metadata.json')).toBeGreaterThan(0)
})

test('glue: the database is the one that is named, and tables lie in the lake', async () => {
  const { glue, calls } = glueAnswering(() => ({}))
  const { catalog, locationOf, filesAt } = openCatalog('glue:prod_lake', S3, { glue })
  expect(await catalog.load('flights')).toBeUndefined()
  expect(calls).toEqual([{ operation: 'GetTable', input: { DatabaseName: 'prod_lake', Name: 'flights' } }])
  expect(await locationOf('flights')).toBe('s3://lake/prod/tables/flights')
  expect(filesAt('s3://lake/prod/tables/flights').locate('a')).toBe('s3://lake/prod/a')
})

test('s3tables: each table has a bucket of its own', () => {
  const { filesAt } = openCatalog(`s3tables:${BUCKET}/prod`, S3)
  const files = filesAt('s3://0a1b--table-s3/metadata/00000-a.metadata.json')
  expect(files.locate('data/a.parquet')).toBe('s3://0a1b--table-s3/data/a.parquet')
  expect(filesAt('s3://0a1b--table-s3')).toBe(files)
  expect(filesAt('s3://2c3d--table-s3').locate('a')).toBe('s3://2c3d--table-s3/a')
})

test.each([
  ['nessie:main', 'nessie:main: there is no such catalog; use directory, glue:<database>, or s3tables:'],
  ['', ': there is no such catalog'],
  ['directory:x', 'there is no such catalog'],
  ['glue', 'glue:: "" cannot be a database'],
  ['glue:', 'glue:: "" cannot be a database'],
  ['glue:Prod', 'glue:Prod: "Prod" cannot be a database'],
  ['glue:a/b', '"a/b" cannot be a database'],
  ['s3tables:', 's3tables:: expected s3tables:<ARN of a table bucket>/<namespace>'],
  [`s3tables:${BUCKET}`, `s3tables:${BUCKET}: expected`],
  [`s3tables:${BUCKET}/`, 'expected'],
  [`s3tables:${BUCKET}/Prod`, 'expected'],
  [`s3tables:${BUCKET}/prod/table/x`, 'expected'],
  ['s3tables:arn:aws:s3:::bucket/prod', 'expected'],
])('%j is refused', (url, message) => {
  expect(() => openCatalog(url, S3)).toThrow(message)
})

test("Glue's tables lie in S3", () => {
  expect(() => openCatalog('glue:db', new DirectoryStore('/somewhere'))).toThrow(
    'glue:db is for a lake in S3, and this one is file:///somewhere',
  )
})
