import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { parseMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { DeclaredPartitions } from '#shared/pipeline/partition-by.ts'
import { always, listOf, maybe } from '#test/helpers/columns.ts'
import { type IcebergDuckDB, openIcebergDuckDB } from '#test/helpers/duckdb-iceberg.ts'
import {
  type ExpectedTable,
  ICEBERG_SCALARS,
  ICEBERG_TYPES,
  PARTITIONED,
  partitionedTable,
  tableLike,
  tableOfAllTypes,
  tableOfSingleRows,
} from '#test/helpers/partitioned-tables.ts'
import { icebergPython } from '#test/helpers/pyiceberg.ts'
import { jsonOf, type Stored, type StoredRow } from '#test/helpers/stored.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const SCRIPT = path.join(import.meta.dirname, 'iceberg-readers.py')
const APPEND_SCRIPT = path.join(import.meta.dirname, 'iceberg-append.py')

let python: string
let duckdb: IcebergDuckDB
const directory = temporaryDirectory()

beforeAll(async () => {
  python = await icebergPython()
  duckdb = await openIcebergDuckDB(path.dirname(path.dirname(python)))
}, VENV_TIMEOUT_MS)

afterAll(() => duckdb.close())

interface Report {
  readonly compared: number
  readonly differences: readonly string[]
  /** Files that filters left over, of how many. */
  readonly planned: { readonly files: number; readonly of: number; readonly filters: number }
}

interface Expected extends ExpectedTable {
  /** Columns to look for every value of. */
  readonly filtered?: readonly string[]
}

/** What pyiceberg says of tables. */
async function reportOn(tables: readonly Expected[]): Promise<Report> {
  const requests = tables.map(({ table, columns, stored, snapshots = {}, filtered = [] }) => ({
    location: table.location,
    columns: columns.map(({ name }) => name),
    rows: stored.map((row) => columns.map(({ name, type }) => jsonOf(row[name] as Stored, type))),
    snapshots,
    filtered,
  }))
  const running = promisify(execFile)(python, [SCRIPT], { maxBuffer: 100_000_000 })
  running.child.stdin?.end(JSON.stringify({ tables: requests }))
  return JSON.parse((await running).stdout) as Report
}

test('every value of every type is read, whether null is allowed or not', async () => {
  const store = new DirectoryStore(directory())
  const tables = [await tableOfAllTypes(store, true), await tableOfAllTypes(store, false)]
  const report = await reportOn(tables)
  expect(report.differences).toEqual([])
  expect(report.compared).toBeGreaterThan(40 * ICEBERG_TYPES.length)
  for (const { table, columns, stored } of tables) expect(await duckdb.rows(table.location, columns)).toEqual(stored)
}, 120_000)

/** How many files were read of how many there were, and what was not found. */
interface Search {
  readonly read: number
  readonly of: number
  readonly wrong: readonly string[]
}

/**
 * What DuckDB 1.5.5 does not find in tables that pyiceberg has written neither: a UUID by its bucket, a time before 1970 by its
 * month or day, a decimal that is negative or long by its truncation. And its SQL has no way to write U+0000.
 */
function isBeyondDuckDB(table: string, value: Stored): boolean {
  if (typeof value === 'string' && value.includes('\0')) return true
  const isNegative = typeof value === 'bigint' && value < 0n
  if (/^decimal.*_truncate_/.test(table)) return isNegative || String(value).length > 18
  return table === 'uuid_by_bucket_7' || (isNegative && /timestamp_by_(?:month|day)$/.test(table))
}

/** Looks for every value of a column by DuckDB. */
async function findAll({ table, columns, stored }: Expected): Promise<Search> {
  const [column] = columns as readonly [Column, ...Column[]]
  const files = (await table.liveFiles()).length
  const wrong: string[] = []
  let [read, of] = [0, 0]
  const values = stored.map((row) => row[column.name] as Stored)
  for (const value of new Set(values)) {
    if (isBeyondDuckDB(table.name, value)) continue
    const found = await duckdb.count(table.location, column, value)
    const count = values.filter((other) => isSame(other, value)).length
    if (found.rows !== count) wrong.push(`${table.name}: ${String(value).slice(0, 50)} finds ${found.rows} of ${count}`)
    read += found.files
    of += files
  }
  return { read, of, wrong }
}

/** As SQL compares: −0 is 0, and to DuckDB NaN is NaN. */
const isSame = (a: Stored, b: Stored): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))

async function expectReadersToAgree(tables: readonly Expected[]): Promise<void> {
  const report = await reportOn(tables)
  expect(report.differences).toEqual([])
  expect(report.planned.filters).toBeGreaterThan(2 * tables.length)
  // Filters leave out most files: by their partitions, by the bounds of the column, or both.
  expect(report.planned.files).toBeLessThan(report.planned.of / 2)
  let [read, of] = [0, 0]
  const wrong: string[] = []
  for (const expected of tables) {
    const { table, columns, stored, snapshots = {} } = expected
    expect(await duckdb.rows(table.location, columns)).toEqual(stored)
    for (const [snapshot, count] of Object.entries(snapshots))
      expect(await duckdb.rows(table.location, columns, BigInt(snapshot))).toEqual(stored.slice(0, count))
    const found = await findAll(expected)
    wrong.push(...found.wrong)
    read += found.read
    of += found.of
  }
  expect(wrong).toEqual([])
  expect(read).toBeLessThan(of / 2)
}

test('each partition transform of each type: values, snapshots, and no file too few for a filter', async () => {
  const store = new DirectoryStore(directory())
  const tables: Expected[] = []
  for (const partitioned of PARTITIONED) {
    // pyiceberg 0.12 finds no UUID by its partition, in tables that it has written itself neither.
    const filtered = partitioned.name === 'uuid_by_identity' ? [] : [partitioned.type.name]
    tables.push({ ...(await partitionedTable(store, partitioned)), filtered })
  }
  await expectReadersToAgree(tables)
}, 240_000)

test('the bounds of each type, of files with one row each, lose no row', async () => {
  const store = new DirectoryStore(directory())
  const tables: Expected[] = []
  for (const type of ICEBERG_SCALARS) tables.push({ ...(await tableOfSingleRows(store, type)), filtered: [type.name] })
  await expectReadersToAgree(tables)
}, 240_000)

test('pyiceberg writes on top, Inlet on top of that, and both read all of it', async () => {
  const columns = [always('n', 'int32'), maybe('name', 'string'), maybe('l', listOf(maybe, 'int64'))]
  const rowsFrom = (first: number): Row[] =>
    Array.from({ length: 50 }, (_, i) => ({ n: first + i, name: i % 3 === 0 ? null : `name ${i}`, l: [i, null] }))
  const partitionBy: DeclaredPartitions = { n: { bucket: 4 }, name: { truncate: 1 } }
  const table = await tableLike(new DirectoryStore(directory()), 'shared', { columns }, partitionBy)
  await table.add(rowsFrom(0))
  const before = await table.load()

  const args = [APPEND_SCRIPT, before.location, directory(), String(50)]
  const { stdout } = await promisify(execFile)(python, args)
  const location = stdout.trim()
  const theirs = parseMetadata(location, await table.located.read(location))
  expect(await table.catalog.commit(table.name, before, theirs)).toBe('committed')
  table.rows += 50
  const after = await table.add(rowsFrom(100))

  expect(after.snapshots.map(({ summary }) => summary['total-records'])).toEqual(['50', '100', '150'])
  const files = await table.liveFiles()
  expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(150)
  expect(new Set(files.map(({ sequenceNumber }) => sequenceNumber))).toEqual(new Set([1, 2, 3]))
  const stored = rowsFrom(0)
    .concat(rowsFrom(50), rowsFrom(100))
    .map((row) => ({
      ...(row as StoredRow),
      l: (row['l'] as (number | null)[]).map((item) => (item === null ? null : BigInt(item))),
    }))
  await expectReadersToAgree([{ table, columns, stored, filtered: ['n', 'name'] }])
}, 120_000)
