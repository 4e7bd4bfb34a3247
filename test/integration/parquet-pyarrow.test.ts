import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { maybe, timestamp } from '#test/helpers/columns.ts'
import { SAMPLED } from '#test/helpers/nested-samples.ts'
import { BEYOND_THE_CALENDAR } from '#test/helpers/scalar-samples.ts'
import { parquetOf, type SampledTable, sampledTable } from '#test/helpers/sampled-table.ts'
import { jsonOf } from '#test/helpers/stored.ts'
import { inTemporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS, venvPython } from '#test/helpers/venv.ts'

const SCRIPT = path.join(import.meta.dirname, 'parquet-pyarrow.py')
const METADATA = { 'inlet.pipeline': 'flights', 'inlet.pipeline_version': 'v1', 'inlet.attempt': 'é😀' }

let python: string

beforeAll(async () => {
  python = await venvPython('pyarrow-26.0.1-polars-2.1.0', ['pyarrow==26.0.1', 'polars==2.1.0'])
}, VENV_TIMEOUT_MS)

interface Report {
  readonly compared: number
  readonly differences: readonly string[]
}

/** What pyarrow and polars say of files of these tables. */
function reportOn(tables: Readonly<Record<string, SampledTable>>): Promise<Report> {
  return inTemporaryDirectory(async (directory) => {
    for (const [name, { columns, rows, stored }] of Object.entries(tables)) {
      await writeFile(path.join(directory, `${name}.parquet`), parquetOf(columns, rows, METADATA))
      const expected = {
        columns: columns.map((column) => ({
          name: column.name,
          type: arrowType(column.type),
          nullable: column.nullable,
        })),
        metadata: METADATA,
        rows: stored.map((row) => columns.map((column) => jsonOf(row[column.name] ?? null, column.type))),
      }
      await writeFile(path.join(directory, `${name}.json`), JSON.stringify(expected))
    }
    const { stdout } = await promisify(execFile)(python, [SCRIPT, directory], { maxBuffer: 100_000_000 })
    return JSON.parse(stdout) as Report
  })
}

const ARROW = {
  string: 'string',
  binary: 'binary',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  float: 'float',
  double: 'double',
  date: 'date32[day]',
  uuid: 'extension<arrow.uuid>',
} as const

/** A column's type as Arrow writes it. */
function arrowType(type: ColumnType): string {
  const field = ({ name, type: of, nullable }: Column): string =>
    `${name}: ${arrowType(of)}${nullable ? '' : ' not null'}`
  switch (type.kind) {
    case 'timestamp':
      return `timestamp[${type.unit}${type.utc ? ', tz=UTC' : ''}]`
    case 'decimal':
      return `decimal128(${type.precision}, ${type.scale})`
    case 'list':
      return `list<${field(type.element)}>`
    case 'map':
      return `map<string, ${arrowType(type.value.type)}${type.value.nullable ? '' : ' not null'}>`
    case 'struct':
      return `struct<${type.fields.map(field).join(', ')}>`
    default:
      return ARROW[type.kind]
  }
}

test('pyarrow and polars read every value of every type, and the types', async () => {
  const tables = {
    nullable: sampledTable(SAMPLED, { nullable: true, times: 1 }),
    required: sampledTable(SAMPLED, { nullable: false, times: 1 }),
    'nullable-often': sampledTable(SAMPLED, { nullable: true, times: 20 }),
    'required-often': sampledTable(SAMPLED, { nullable: false, times: 20 }),
  }
  const report = await reportOn(tables)
  expect(report.differences).toEqual([])
  const values = Object.values(tables).map(({ columns, rows }) => columns.length * rows.length)
  // By pyarrow every value, by polars those that are no maps.
  expect(report.compared).toBeGreaterThan(1.5 * values.reduce((a, b) => a + b))
}, 120_000)

test('they read columns of nothing but null, no rows, and times beyond the calendar', async () => {
  const columns = SAMPLED.map(({ name, type }) => maybe(name, type))
  const nothing = Object.fromEntries(columns.map(({ name }) => [name, null]))
  const times = [maybe('t', timestamp('us', true))]
  const report = await reportOn({
    nulls: { columns, rows: Array.from({ length: 20 }, () => ({})), stored: Array.from({ length: 20 }, () => nothing) },
    'no-rows': { columns, rows: [], stored: [] },
    beyond: {
      columns: times,
      rows: BEYOND_THE_CALENDAR.map(([t]) => ({ t })),
      stored: BEYOND_THE_CALENDAR.map(([, t]) => ({ t })),
    },
  })
  expect(report.differences).toEqual([])
  expect(report.compared).toBeGreaterThan(20 * columns.length)
}, 120_000)

test('the comparison finds what is wrong', async () => {
  const table = sampledTable(SAMPLED, { nullable: true, times: 1 })
  const wrong = table.stored.map((row, i) => (i === 1 ? { ...row, double: 0, map: new Map([['other', 1n]]) } : row))
  const { differences } = await reportOn({ wrong: { ...table, stored: wrong } })
  expect(differences).toEqual([
    'pyarrow wrong.parquet double row 1 is -0.0 and should be 0',
    "pyarrow wrong.parquet map row 1 is [['é😀', '2'], ['10', '3'], ['9', '4']] and should be [['other', '1']]",
    'polars wrong.parquet double row 1 is -0.0 and should be 0',
  ])
}, 120_000)
