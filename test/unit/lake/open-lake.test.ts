import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { noteTable } from '#shared/lake/table-identity.ts'
import type { InletError } from '#shared/pipeline/errors.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const S3_TABLES = 's3tables:arn:aws:s3tables:us-east-1:123456789012:bucket/tables/prod'
const BUCKET = 's3://0001--table-s3'
const iceberg = locked(sensors)
const directory = temporaryDirectory()

/** Where the pipeline's data files go: its rows, and its dead letters. */
async function folders(catalog: string | null, pipeline = iceberg, isNoted = false): Promise<unknown[]> {
  const url = directory()
  const tables = ['sensors', 'sensors_dead_letters'].map((table) => ({ pipeline: 'sensors', generation: 0, table }))
  const noted = { 'table-uuid': 'id', location: BUCKET }
  if (isNoted) for (const owner of tables) await noteTable(new DirectoryStore(url), owner, noted)
  const lake = openLake(url, { catalog, pipelines: [pipeline] })
  return Promise.all(
    tables.map((owner) => lake.dataFolder(owner).catch((error: unknown) => (error as InletError).code)),
  )
}

const IN_LAKE = ['tables/sensors/data/', 'tables/sensors_dead_letters/data/']
const OUTSIDE = [`${BUCKET}/data/`, `${BUCKET}/data/`]

test.each([
  ['glue:lake', iceberg, IN_LAKE, IN_LAKE],
  ['directory', iceberg, IN_LAKE, IN_LAKE],
  [null, iceberg, IN_LAKE, OUTSIDE],
  [S3_TABLES, iceberg, ['TABLE_MISSING', 'TABLE_MISSING'], OUTSIDE],
  // Plain files are in no catalog.
  [S3_TABLES, sensors as typeof iceberg, IN_LAKE, OUTSIDE],
])('with the catalog %s', async (catalog, pipeline, before, noted) => {
  expect(await folders(catalog, pipeline)).toEqual(before)
  expect(await folders(catalog, pipeline, true)).toEqual(noted)
})

test('without knowing anything, where the lake has noted it', async () => {
  const url = directory()
  const owner = { pipeline: 'sensors', generation: 0, table: 'sensors' }
  await noteTable(new DirectoryStore(url), owner, { 'table-uuid': 'id', location: BUCKET })
  expect(await openLake(url).dataFolder(owner)).toBe(`${BUCKET}/data/`)
})
