import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { always, decimal, listOf, mapOf, maybe, structOf } from '#test/helpers/columns.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { duckDBType, queryWithDuckDB, readWithDuckDB } from '#test/helpers/duckdb-reader.ts'
import { readWithHyparquet } from '#test/helpers/hyparquet-reader.ts'
import { parquetOf } from '#test/helpers/sampled-table.ts'
import type { Stored, StoredRow } from '#test/helpers/stored.ts'

/** Files of other writers (parquet-mr, parquet-cpp), which lie beside the project and not within it. */
const PEERS = path.join(projectRoot, '../shared/data/parquet-peer')

/** A file of another writer: the columns that hold its values, and how DuckDB makes them of its own where the types differ. */
interface Peer {
  readonly columns: readonly Column[]
  readonly select?: string
  readonly rows: number
}

/** The columns of Impala's two files, which spell their names in letters of either case. */
function impala(column: typeof maybe, spelling: string): Peer['columns'] {
  const names = new Map(spelling.split(' ').map((name) => [name.toLowerCase(), name]))
  const as = (name: string, type: ColumnType | 'int32' | 'int64' | 'string'): Column =>
    column(names.get(name) ?? name, type)
  const leaf = structOf(as('e', 'int32'), as('f', 'string'))
  const lists = structOf(as('d', listOf(column, listOf(column, leaf))))
  const doubles = structOf(as('h', structOf(column('i', listOf(column, 'double')))))
  return [
    as('id', 'int64'),
    as('int_array', listOf(column, 'int32')),
    as('int_array_array', listOf(column, listOf(column, 'int32'))),
    as('int_map', mapOf(column, 'int32')),
    as('int_map_array', listOf(column, mapOf(column, 'int32'))),
    as(
      'nested_struct',
      structOf(as('a', 'int32'), as('b', listOf(column, 'int32')), as('c', lists), as('g', mapOf(column, doubles))),
    ),
  ]
}

const SIGNS: Peer['columns'] = [
  ...['unsigned_int8', 'unsigned_int16', 'signed_int8', 'signed_int16', 'signed_int32'].map((name) =>
    maybe(name, 'int32'),
  ),
  maybe('unsigned_int32', 'int64'),
  maybe('signed_int64', 'int64'),
  maybe('unsigned_int64', decimal(20, 0)),
]

const FILES: Readonly<Record<string, Peer>> = {
  'fixed_length_decimal.parquet': { columns: [maybe('value', decimal(25, 2))], rows: 24 },
  'listy.parquet': {
    columns: [
      maybe('nonNullIntList', listOf(always, 'int32')),
      maybe('nullableIntList', listOf(maybe, 'int64')),
      maybe('stringList', listOf(maybe, 'string')),
    ],
    rows: 5,
  },
  'nonnullable.impala.parquet': {
    columns: impala(always, 'ID Int_Array int_array_array Int_Map int_map_array nested_Struct a B c D e f G h'),
    rows: 1,
  },
  'nullable.impala.parquet': {
    columns: impala(maybe, 'id int_array int_array_Array int_map int_Map_Array nested_struct A b C d E F g H'),
    rows: 7,
  },
  // Integers of other widths and without a sign, in the narrowest column that holds them all.
  'signs.parquet': {
    columns: SIGNS,
    select: SIGNS.map(({ name, type }) => `${name}::${duckDBType(type)} AS ${name}`).join(', '),
    rows: 4,
  },
}

/** No column is of 16-bit floating point. */
const WITHOUT_COLUMN = ['float16_nonzeros_and_nans.parquet']

/** A value as a row gives it, of what a file held. */
function givenOf(stored: Stored, type: ColumnType): unknown {
  if (stored === null) return null
  switch (type.kind) {
    case 'decimal': {
      const digits = String(stored).padStart(type.scale + 1, '0')
      return type.scale === 0 ? digits : `${digits.slice(0, -type.scale)}.${digits.slice(-type.scale)}`
    }
    case 'list':
      return (stored as readonly Stored[]).map((item) => givenOf(item, type.element.type))
    case 'map':
      return new Map(
        [...(stored as ReadonlyMap<string, Stored>)].map(([key, item]) => [key, givenOf(item, type.value.type)]),
      )
    case 'struct':
      return rowOf(stored as StoredRow, type.fields)
    default:
      return stored
  }
}

const rowOf = (stored: StoredRow, columns: readonly Column[]): Row =>
  Object.fromEntries(columns.map(({ name, type }) => [name, givenOf(stored[name] ?? null, type)]))

function testPeers(): void {
  test('every file that is there is read, or has a type that no column has', () => {
    const names = [...Object.keys(FILES), ...WITHOUT_COLUMN].sort()
    expect(
      readdirSync(PEERS)
        .filter((name) => name.endsWith('.parquet'))
        .sort(),
    ).toEqual(names)
  })

  test.each(Object.entries(FILES))(
    'the rows of %s, written anew, are the same',
    async (name, { columns, select = '*', rows }) => {
      const theirs = await queryWithDuckDB(
        await readFile(path.join(PEERS, name)),
        (file) => `SELECT ${select} FROM '${file}'`,
        columns,
      )
      expect(theirs.rows).toHaveLength(rows)
      const ours = parquetOf(
        columns,
        theirs.rows.map((row) => rowOf(row, columns)),
      )
      const { types, rows: read } = await readWithDuckDB(ours, columns)
      expect(read).toEqual(theirs.rows)
      expect(types).toEqual(theirs.types)
      expect(await readWithHyparquet(ours, columns)).toEqual(theirs.rows)
    },
  )
}

describe('files of other writers', () => {
  if (existsSync(PEERS)) testPeers()
  else
    test(`cannot be tested: ${PEERS} is missing`, () => {
      console.warn(`Nothing was tested against files of other writers: ${PEERS} is missing.`)
      expect(process.env['CI']).not.toBe('true')
    })
})
