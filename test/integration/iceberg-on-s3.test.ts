/** Tables of a lake in S3, read there by the engines: what `iceberg-readers` and `iceberg-spark` show on a directory. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { S3Store } from '#shared/lake/s3-store.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { type IcebergDuckDB, openIcebergDuckDB } from '#test/helpers/duckdb-iceberg.ts'
import { Ministack, START_TIMEOUT_MS } from '#test/helpers/ministack.ts'
import { Moto } from '#test/helpers/moto.ts'
import { type ExpectedTable, PARTITIONED, partitionedTable, tableOfAllTypes } from '#test/helpers/partitioned-tables.ts'
import { icebergPython } from '#test/helpers/pyiceberg.ts'
import { Spark, SPARK_TIMEOUT_MS } from '#test/helpers/spark.ts'
import { SPARK_FORM, sparkName } from '#test/helpers/spark-values.ts'
import { jsonOf, type Stored, storedRows } from '#test/helpers/stored.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const SCRIPT = path.join(import.meta.dirname, 'iceberg-readers.py')
const MINUTES = 60_000

let s3: Ministack
let glue: Moto
let spark: Spark
let python: string
let duckdb: IcebergDuckDB
let tables: readonly (ExpectedTable & { readonly snapshots: Readonly<Record<string, number>> })[]

beforeAll(
  async () => {
    s3 = await Ministack.start()
    await s3.createBucket('lake')
    glue = await Moto.start()
    python = await icebergPython()
    duckdb = await openIcebergDuckDB(path.dirname(path.dirname(python)))
    spark = await Spark.start({ onS3: true })
    const store = new S3Store('s3://lake/prod', { client: s3.client() })
    const all = await tableOfAllTypes(store, true)
    const partitioned = PARTITIONED.filter(({ type }) => ['string', 'timestamptz', 'int64'].includes(type.name))
    tables = [
      { ...all, snapshots: {} },
      ...(await Promise.all(partitioned.map((each) => partitionedTable(store, each)))),
    ]
  },
  START_TIMEOUT_MS + SPARK_TIMEOUT_MS + VENV_TIMEOUT_MS,
)
afterAll(async () => {
  duckdb?.close()
  await spark?.stop()
  await glue?.stop()
  await s3?.stop()
})

/** As the SDKs of other languages have it. */
function access(): { endpoint: string; key: string; secret: string; region: string } {
  const { AWS_ACCESS_KEY_ID: key = '', AWS_SECRET_ACCESS_KEY: secret = '', AWS_REGION: region = '' } = s3.environment()
  return { endpoint: s3.endpoint, key, secret, region }
}

test(
  'pyiceberg reads every value, and every snapshot',
  async () => {
    const { endpoint, key, secret, region } = access()
    const properties = {
      's3.endpoint': endpoint,
      's3.access-key-id': key,
      's3.secret-access-key': secret,
      's3.region': region,
    }
    const requestOf = async ({ table, columns, stored, snapshots }: (typeof tables)[number]): Promise<object> => ({
      // Not the table's folder: for the hint in it pyiceberg looks in local folders only.
      location: (await table.load()).location,
      columns: columns.map(({ name }) => name),
      rows: stored.map((row) => columns.map(({ name, type }) => jsonOf(row[name] as Stored, type))),
      snapshots,
      filtered: [],
    })
    const running = promisify(execFile)(python, [SCRIPT], { maxBuffer: 100_000_000 })
    running.child.stdin?.end(JSON.stringify({ properties, tables: await Promise.all(tables.map(requestOf)) }))
    const report = JSON.parse((await running).stdout) as { compared: number; differences: string[] }
    expect(report.differences).toEqual([])
    expect(report.compared).toBeGreaterThan(1000)
  },
  2 * MINUTES,
)

test(
  'DuckDB reads every value, and every snapshot',
  async () => {
    const { endpoint, key, secret, region } = access()
    await duckdb.ask(`CREATE SECRET (TYPE s3, KEY_ID '${key}', SECRET '${secret}', REGION '${region}', URL_STYLE 'path',
    USE_SSL false, ENDPOINT '${new URL(endpoint).host}')`)
    for (const { table, columns, stored, snapshots } of tables) {
      const { location } = await table.load()
      expect(await duckdb.rows(location, columns)).toEqual(stored)
      for (const [snapshot, count] of Object.entries(snapshots))
        expect(await duckdb.rows(location, columns, BigInt(snapshot))).toEqual(stored.slice(0, count))
    }
  },
  2 * MINUTES,
)

/** @param table its name in Spark, and which of its snapshots */
async function readBySpark(table: string, columns: readonly Column[]): Promise<unknown> {
  const names = columns.map(({ name }) => sparkName(name)).join(', ')
  const { rows } = await spark.ask(`SELECT ${names} FROM ${table} ORDER BY _offset`)
  const found = rows.map((row): Row => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])))
  return storedRows(found, columns, SPARK_FORM)
}

test(
  'Spark reads every value, and every snapshot, of tables in Glue',
  async () => {
    const { endpoint, key, secret, region } = access()
    const settings = {
      '': 'org.apache.iceberg.spark.SparkCatalog',
      'catalog-impl': 'org.apache.iceberg.aws.glue.GlueCatalog',
      'glue.endpoint': glue.endpoint,
      'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
      warehouse: 's3://lake/prod',
      's3.endpoint': endpoint,
      's3.path-style-access': 'true',
      's3.access-key-id': key,
      's3.secret-access-key': secret,
      'client.region': region,
      'cache-enabled': 'false',
    }
    for (const [name, value] of Object.entries(settings))
      await spark.ask(`SET \`spark.sql.catalog.s3${name === '' ? '' : `.${name}`}\` = \`${value}\``)
    await spark.ask('CREATE NAMESPACE s3.tables')
    for (const { table, columns, stored, snapshots } of tables) {
      const { location } = await table.load()
      const name = `s3.tables.${sparkName(table.name)}`
      await spark.ask(`CALL s3.system.register_table(table => 'tables.${table.name}', metadata_file => '${location}')`)
      expect(await readBySpark(name, columns)).toEqual(stored)
      for (const [snapshot, count] of Object.entries(snapshots))
        expect(await readBySpark(`${name} VERSION AS OF ${snapshot}`, columns)).toEqual(stored.slice(0, count))
    }
  },
  4 * MINUTES,
)
