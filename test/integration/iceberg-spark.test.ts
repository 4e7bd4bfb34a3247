import path from 'node:path'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { FIRST_SNAPSHOT_MS } from '#test/helpers/iceberg-table.ts'
import {
  type ExpectedTable,
  ICEBERG_SCALARS,
  PARTITIONED,
  partitionedTable,
  tableOfAllTypes,
  tableOfSingleRows,
} from '#test/helpers/partitioned-tables.ts'
import { Spark, SPARK_TIMEOUT_MS } from '#test/helpers/spark.ts'
import { SPARK_FORM, sparkCondition, sparkName } from '#test/helpers/spark-values.ts'
import { type Stored, type StoredRow, storedRows } from '#test/helpers/stored.ts'

let spark: Spark
beforeAll(async () => {
  spark = await Spark.start()
}, SPARK_TIMEOUT_MS)
afterAll(() => spark.stop())

/** A lake of its own for each test, in Spark's warehouse. */
let lakes = 0
let store: DirectoryStore
beforeEach(() => {
  store = new DirectoryStore(path.join(spark.warehouse, `lake_${++lakes}`))
})
const sparkTable = (name: string): string => `lake.lake_${lakes}.tables.${sparkName(name)}`

/** The rows of a table in the order of `_offset`. @param at SQL that names one of its snapshots */
async function rowsOf({ table, columns }: ExpectedTable, at = ''): Promise<StoredRow[]> {
  const names = columns.map(({ name }) => sparkName(name)).join(', ')
  const answer = await spark.ask(`SELECT ${names} FROM ${sparkTable(table.name)} ${at} ORDER BY _offset`)
  const rows = answer.rows.map((row): Row => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])))
  return storedRows(rows, columns, SPARK_FORM)
}

test('every value of every type is read, whether null is allowed or not', async () => {
  for (const nullable of [true, false]) {
    const expected = await tableOfAllTypes(store, nullable)
    expect(await rowsOf(expected)).toEqual(expected.stored)
  }
}, 120_000)

test('each partition transform of each type: values, and snapshots by id and by time', async () => {
  const tables: ExpectedTable[] = []
  for (const partitioned of PARTITIONED) {
    const expected = await partitionedTable(store, partitioned)
    expect(await rowsOf(expected)).toEqual(expected.stored)
    tables.push(expected)
    const [[snapshot, rows] = ['', 0]] = Object.entries(expected.snapshots)
    const past = expected.stored.slice(0, rows)
    expect(await rowsOf(expected, `VERSION AS OF ${snapshot}`)).toEqual(past)
    // After the first snapshot, and a millisecond before the second.
    const time = `timestamp_millis(${FIRST_SNAPSHOT_MS + 1999})`
    expect(await rowsOf(expected, `TIMESTAMP AS OF ${time}`)).toEqual(past)
  }
  await expectToFindAll(tables)
}, 300_000)

test('the bounds of each type, of files with one row each, lose no row', async () => {
  const tables: ExpectedTable[] = []
  for (const type of ICEBERG_SCALARS) tables.push(await tableOfSingleRows(store, type))
  await expectToFindAll(tables)
}, 300_000)

/**
 * Looks for every value of the first columns: none may be missing, and most files must be left out. Iceberg 1.10.0 fails at a filter
 * by UUID, in files that it has written itself, too.
 */
async function expectToFindAll(tables: readonly ExpectedTable[]): Promise<void> {
  let [read, of] = [0, 0]
  const wrong: string[] = []
  for (const { table, columns, stored } of tables) {
    const [column] = columns as readonly [Column, ...Column[]]
    if (column.type.kind === 'uuid') continue
    const values = [...new Set(stored.map((row) => row[column.name] as Stored))]
    const found = await find(table.name, column, values)
    for (const [i, value] of values.entries()) {
      const wanted = stored.flatMap((row, offset) => (isSame(row[column.name] as Stored, value) ? [offset] : []))
      const offsets = found.offsets.get(i) ?? []
      if (offsets.join() !== wanted.join())
        wrong.push(`${table.name}: ${String(value).slice(0, 50)} is found at ${offsets.join()}, not ${wanted.join()}`)
    }
    read += found.files
    of += values.length * (await table.liveFiles()).length
  }
  expect(wrong).toEqual([])
  expect(read).toBeLessThan(of / 2)
}

/** Looks for each value by a scan of its own. @returns the offsets of the rows, by the index of their value; files that were read */
async function find(
  table: string,
  { name, type }: Column,
  values: readonly Stored[],
): Promise<{ offsets: ReadonlyMap<number, readonly number[]>; files: number }> {
  const selects = values.map(
    (value, i) => `SELECT ${i} AS i, _offset FROM ${sparkTable(table)} WHERE ${sparkCondition(name, type, value)}`,
  )
  const { rows, files } = await spark.ask(`${selects.join(' UNION ALL ')} ORDER BY i, _offset`)
  const found = rows.map(([i, offset]) => ({ i: Number(i), offset: Number(offset) }))
  const byValue = Map.groupBy(found, ({ i }) => i)
  return { offsets: new Map([...byValue].map(([i, some]) => [i, some.map(({ offset }) => offset)])), files }
}

/** As SQL compares: −0 is 0, and to Spark NaN is NaN. */
const isSame = (a: Stored, b: Stored): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))
