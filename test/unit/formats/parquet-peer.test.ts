import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { always, decimal, listOf, mapOf, maybe, structOf } from '#test/helpers/column-samples.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { queryWithDuckDB, readWithDuckDB } from '#test/helpers/duckdb-reader.ts'
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

function impala(column: typeof maybe, names: readonly string[]): Peer['columns'] {
  const [id, ints, lists, map, maps, struct, a, b, c, d, e, f, g, h] = names as readonly string[] & { 14: string }
  const leaf = structOf(column(e ?? '', 'int32'), column(f ?? '', 'string'))
  const inner = structOf(column(d ?? '', listOf(column, listOf(column, leaf))))
  const deep = structOf(column(h ?? '', structOf(column('i', listOf(column, 'double')))))
  return [
    column(id ?? '', 'int64'),
    column(ints ?? '', listOf(column, 'int32')),
    column(lists ?? '', listOf(column, listOf(column, 'int32'))),
    column(map ?? '', mapOf(column, 'int32')),
    column(maps ?? '', listOf(column, mapOf(column, 'int32'))),
    column(
      struct ?? '',
      structOf(
        column(a ?? '', 'int32'),
        column(b ?? '', listOf(column, 'int32')),
        column(c ?? '', inner),
        column(g ?? '', mapOf(column, deep)),
      ),
    ),
  ]
}

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
    columns: impala(always, [
      'ID',
      'Int_Array',
      'int_array_array',
      'Int_Map',
      'int_map_array',
      'nested_Struct',
      'a',
      'B',
      'c',
      'D',
      'e',
      'f',
      'G',
      'h',
    ]),
    rows: 1,
  },
  'nullable.impala.parquet': {
    columns: impala(maybe, [
      'id',
      'int_array',
      'int_array_Array',
      'int_map',
      'int_Map_Array',
      'nested_struct',
      'A',
      'b',
      'C',
      'd',
      'E',
      'F',
      'g',
      'H',
    ]),
    rows: 7,
  },
  // Integers of other widths and without a sign, in the narrowest column that holds them all.
  'signs.parquet': {
    columns: [
      ...['unsigned_int8', 'unsigned_int16', 'signed_int8', 'signed_int16', 'signed_int32'].map((name) =>
        maybe(name, 'int32'),
      ),
      ...['unsigned_int32', 'signed_int64'].map((name) => maybe(name, 'int64')),
      maybe('unsigned_int64', decimal(20, 0)),
    ],
    select: `* REPLACE (unsigned_int32::BIGINT AS unsigned_int32, unsigned_int64::DECIMAL(20,0) AS unsigned_int64)`,
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
      expect(types).toEqual(
        Object.fromEntries(
          columns.map((column) => [
            column.name,
            theirs.types[column.name] === 'UTINYINT' || /^U?(TINY|SMALL)INT$/.test(theirs.types[column.name] ?? '')
              ? 'INTEGER'
              : theirs.types[column.name],
          ]),
        ),
      )
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
