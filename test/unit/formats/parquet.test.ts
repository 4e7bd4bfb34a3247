import { parquetMetadata } from 'hyparquet'
import { ParquetRows } from '#shared/formats/parquet.ts'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { always, listOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'
import { SAMPLED } from '#test/helpers/nested-samples.ts'
import { BEYOND_THE_CALENDAR, SCALARS } from '#test/helpers/scalar-samples.ts'
import { askParquet, type DuckDBTable, duckDBType, readWithDuckDB } from '#test/helpers/duckdb-reader.ts'
import { readWithHyparquet } from '#test/helpers/hyparquet-reader.ts'
import { parquetOf, sampledTable } from '#test/helpers/sampled-table.ts'
import type { StoredRow } from '#test/helpers/stored.ts'

const valuesOf = (rows: readonly StoredRow[], name: string): unknown[] => rows.map((row) => row[name])

describe.each([
  ['in columns that allow null', { nullable: true, times: 1 }],
  ['in columns that do not', { nullable: false, times: 1 }],
  ['in columns that allow null, many times over', { nullable: true, times: 20 }],
  ['in columns that do not, many times over', { nullable: false, times: 20 }],
])('every value is read back %s', (_, options) => {
  const { columns, rows, stored } = sampledTable(SAMPLED, options)
  let byDuckDB: DuckDBTable
  let byHyparquet: readonly StoredRow[]

  beforeAll(async () => {
    const file = parquetOf(columns, rows)
    byDuckDB = await readWithDuckDB(file, columns)
    byHyparquet = await readWithHyparquet(file, columns)
  })

  test.each(columns)('$name, by DuckDB', ({ name, type }) => {
    expect(byDuckDB.types[name]).toBe(duckDBType(type))
    expect(valuesOf(byDuckDB.rows, name)).toEqual(valuesOf(stored, name))
  })

  test.each(columns)('$name, by hyparquet', ({ name }) => {
    expect(valuesOf(byHyparquet, name)).toEqual(valuesOf(stored, name))
  })
})

async function expectReadBack(columns: Parameters<typeof parquetOf>[0], rows: Row[], stored: StoredRow[]) {
  const file = parquetOf(columns, rows)
  expect((await readWithDuckDB(file, columns)).rows).toEqual(stored)
  expect(await readWithHyparquet(file, columns)).toEqual(stored)
}

test('values that come often are kept in dictionaries, others are not', () => {
  const encodingsOf = (times: number): Record<string, string[]> => {
    const { columns, rows } = sampledTable(SCALARS, { nullable: true, times })
    const chunks = parquetMetadata(parquetOf(columns, rows)).row_groups[0]?.columns ?? []
    const pairs = chunks.map(({ meta_data: data }): [string, string[]] => [
      data?.path_in_schema[0] ?? '',
      data?.encodings ?? [],
    ])
    return Object.fromEntries(pairs)
  }
  const often = encodingsOf(20)
  const dictionaries = Object.keys(often).filter((name) => often[name]?.includes('RLE_DICTIONARY'))
  // A boolean needs none.
  expect(dictionaries).toEqual(SCALARS.map(({ name }) => name).filter((name) => name !== 'boolean'))
  expect(encodingsOf(1)['timestamp']).toEqual(['PLAIN'])
  // Run lengths of booleans are more than Iceberg 1.10 reads into Spark's vectors.
  expect(often['boolean']).toEqual(['PLAIN'])
})

test('columns of nothing but null are read back, whatever their type', async () => {
  const columns = SAMPLED.map(({ name, type }) => maybe(name, type))
  const nothing = Object.fromEntries(columns.map(({ name }) => [name, null]))
  await expectReadBack(
    columns,
    Array.from({ length: 20 }, () => ({})),
    Array.from({ length: 20 }, () => nothing),
  )
})

test('a file without rows has the columns', async () => {
  const columns = SAMPLED.map(({ name, type }) => always(name, type))
  const { types, rows } = await readWithDuckDB(parquetOf(columns, []), columns)
  expect(rows).toEqual([])
  expect(types).toEqual(Object.fromEntries(columns.map(({ name, type }) => [name, duckDBType(type)])))
})

test('times beyond the years 1 to 9999 are what they are', async () => {
  const columns = [maybe('t', timestamp('us', true))]
  const rows = BEYOND_THE_CALENDAR.map(([t]) => ({ t }))
  await expectReadBack(
    columns,
    rows,
    BEYOND_THE_CALENDAR.map(([, t]) => ({ t })),
  )
})

// A dictionary that takes −0 and 0 for one value loses the sign.
test.each(['float', 'double'] as const)('zeros of a %s keep their sign among many', async (kind) => {
  const columns = [always('v', kind), maybe('l', listOf(maybe, kind)), maybe('s', structOf(maybe('v', kind)))]
  const rows = Array.from({ length: 200 }, (_, i) => {
    const v = i % 3 === 0 ? -0 : 0
    return { v, l: [v, null, 1], s: i % 5 === 0 ? null : { v } }
  })
  await expectReadBack(columns, rows, rows)
})

test('columns have any name', async () => {
  const names = ['a b', 'ä😀', '"', "'", '\\', '1', 'select', 'key_value', 'list', 'element', 'x\ny']
  const columns = names.flatMap((name) => [maybe(name, structOf(maybe(name, 'int32')))])
  const row = Object.fromEntries(names.map((name, i) => [name, { [name]: i }]))
  await expectReadBack(columns, [row], [row])
})

test('a dot in a name does not make it another', async () => {
  const columns = [maybe('a.b', 'int32'), maybe('a', structOf(maybe('b', 'int32'), maybe('b.c', 'int32')))]
  const row = { 'a.b': 1, a: { b: 2, 'b.c': 3 } }
  expect((await readWithDuckDB(parquetOf(columns, [row]), columns)).rows).toEqual([row])
})

test('fields of a row that are no columns are left out', async () => {
  await expectReadBack([maybe('a', 'int32')], [{ a: 1, b: 2, _c: 'x' }], [{ a: 1 }])
})

// JavaScript's readers drop the mark, so the bytes are asked for.
test('a byte-order mark is a character of the text', async () => {
  const file = parquetOf([maybe('t', 'string')], [{ t: '\ufeffx\ufeff' }])
  expect(await askParquet(file, (path) => `SELECT hex(t) AS t FROM '${path}'`)).toEqual([{ t: 'EFBBBF78EFBBBF' }])
})

test('columns longer than a page are whole', async () => {
  const columns = [always('i', 'int32'), maybe('l', listOf(maybe, 'string')), always('t', 'string')]
  // Lists of different lengths: a row never spans pages.
  const rows = Array.from({ length: 3000 }, (_, i) => {
    const l = i % 7 === 0 ? null : [0, 1, 2, 3].slice(0, i % 5).map((j) => (j === 3 ? null : `${i}.${j}`.repeat(100)))
    return { i, l, t: `${i} `.repeat(100) }
  })
  const file = parquetOf(columns, rows)
  const pages = parquetMetadata(file).row_groups[0]?.columns.map((chunk) => chunk.meta_data?.encoding_stats?.[0]?.count)
  expect(pages?.[1]).toBeGreaterThan(1)
  expect(pages?.[2]).toBeGreaterThan(1)
  await expectReadBack(columns, rows, rows)
})

test('row groups hold 122,880 rows', async () => {
  const rows = Array.from({ length: 122_880 * 2 + 1 }, (_, n) => ({ n }))
  const file = parquetOf([always('n', 'int32')], rows)
  const groups = parquetMetadata(file).row_groups
  expect(groups.map((group) => Number(group.num_rows))).toEqual([122_880, 122_880, 1])
  expect(groups.map(({ columns }) => columns[0]?.meta_data?.statistics?.max_value)).toEqual([122_879, 245_759, 245_760])
  const [sum] = await askParquet(
    file,
    (path) =>
      `SELECT count(*) AS n, sum(n) AS s, bool_and(n = file_row_number) AS o FROM read_parquet('${path}', file_row_number=true)`,
  )
  expect(sum).toEqual({ n: '245761', s: '30199111680', o: true })
})

test('the footer carries the metadata, and who wrote the file', () => {
  const metadata = { 'inlet.pipeline': 'flights', 'inlet.pipeline_version': 'v1', 'inlet.attempt': 'é😀 "1"' }
  const footer = parquetMetadata(parquetOf([maybe('a', 'int32')], [{ a: 1 }], metadata))
  expect(footer.key_value_metadata).toEqual(Object.entries(metadata).map(([key, value]) => ({ key, value })))
  expect(footer.created_by).toMatch(/^inlet/)
})

test('columns are compressed with zstd', () => {
  const footer = parquetMetadata(parquetOf([always('a', 'string')], [{ a: 'abc'.repeat(1000) }]))
  const chunk = footer.row_groups[0]?.columns[0]?.meta_data
  expect(chunk?.codec).toBe('ZSTD')
  expect(Number(chunk?.total_compressed_size)).toBeLessThan(200)
})

test('columns of few bytes are not compressed, which costs more than it saves', async () => {
  const some = [always('n', 'int32'), maybe('none', 'string'), maybe('text', 'string'), maybe('one', 'int32')]
  const columns = [...some, always('many', 'int32'), always('long', 'string')]
  const [text, long] = ['x'.repeat(100), 'x'.repeat(1000)]
  const rows = Array.from({ length: 1000 }, (_, i) => {
    const one = i === 999 ? 1 : null
    return { n: 7, none: null, text, one, many: i * 7, long }
  })
  const chunks = parquetMetadata(parquetOf(columns, rows)).row_groups[0]?.columns ?? []
  const compressed = chunks.filter(({ meta_data: chunk }) => chunk?.codec === 'ZSTD')
  expect(compressed.flatMap(({ meta_data: chunk }) => chunk?.path_in_schema ?? [])).toEqual(['many', 'long'])
  await expectReadBack(columns, rows, rows)
})

describe('appending', () => {
  const columns = [always('a', 'int64'), maybe('b', 'date'), maybe('c', 'string')]

  test('a row that one column refuses leaves no trace in the others', async () => {
    const file = new ParquetRows(columns)
    file.append({ a: 1, b: '2013-01-01', c: 'x' })
    expect(() => file.append({ a: 2, b: '2013-02-30', c: 'y' })).toThrow(UnstorableError)
    expect(() => file.append({ a: 3, b: null, c: '\ud800' })).toThrow(UnstorableError)
    file.append({ a: 4, b: null, c: 'z' })
    expect(file.count).toBe(2)
    expect(await readWithHyparquet(file.encode({}).body, columns)).toEqual([
      { a: 1n, b: 15_706, c: 'x' },
      { a: 4n, b: null, c: 'z' },
    ])
  })

  test('the row that came last can be taken back', async () => {
    const file = new ParquetRows(columns)
    file.append({ a: 1, c: 'kept' })
    file.append({ a: 2, b: '2013-01-01', c: 'taken back' })
    file.removeLast()
    expect(file.count).toBe(1)
    file.append({ a: 3 })
    expect(await readWithHyparquet(file.encode({}).body, columns)).toEqual([
      { a: 1n, b: null, c: 'kept' },
      { a: 3n, b: null, c: null },
    ])
  })

  test('rows are taken back from a row group that was full, and it takes others', () => {
    const numbers = [always('n', 'int32')]
    const file = new ParquetRows(numbers)
    for (let n = 0; n < 122_881; n++) file.append({ n })
    file.removeLast()
    file.removeLast()
    for (const n of [-1, -2, -3]) file.append({ n })
    const { row_groups: groups } = parquetMetadata(Uint8Array.from(file.encode({}).body).buffer)
    expect(
      groups.map(({ columns: [chunk], num_rows: rows }) => [rows, chunk?.meta_data?.statistics?.min_value]),
    ).toEqual([
      [122_880n, -1],
      [2n, -3],
    ])
  })

  test('row groups that are full are encoded once their rows stay, and take less memory then', () => {
    const numbers = [always('n', 'int32')]
    const file = new ParquetRows(numbers)
    for (let n = 0; n < 122_879; n++) file.append({ n })
    file.settle()
    expect(file.encoded).toBe(0)
    const { memory } = file
    for (let n = 0; n < 2; n++) file.append({ n })
    file.settle()
    expect(file.encoded).toBeGreaterThan(0)
    expect(file.memory).toBeLessThan(memory)
    expect(file.count).toBe(122_881)
  })

  test('a row that is changed afterwards is as it was', async () => {
    const list = [1, 2]
    const lists = [always('l', listOf(always, 'int32'))]
    const file = new ParquetRows(lists)
    file.append({ l: list })
    list.push(3)
    expect(await readWithHyparquet(file.encode({}).body, lists)).toEqual([{ l: [1, 2] }])
  })

  test('a file can be encoded twice, and grow in between', async () => {
    const file = new ParquetRows(columns)
    file.append({ a: 1 })
    const first = file.encode({ attempt: '1' }).body
    file.append({ a: 2 })
    expect(await readWithHyparquet(first, columns)).toHaveLength(1)
    expect(await readWithHyparquet(file.encode({}).body, columns)).toHaveLength(2)
  })
})
