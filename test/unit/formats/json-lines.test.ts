import { JsonLinesRows } from '#shared/formats/json-lines.ts'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'
import { SAMPLED } from '#test/helpers/nested-samples.ts'
import { BEYOND_THE_CALENDAR } from '#test/helpers/scalar-samples.ts'
import { type DuckDBTable, readLinesWithDuckDB } from '#test/helpers/duckdb-reader.ts'
import { linesOf, readLines } from '#test/helpers/json-lines-reader.ts'
import { encoded, sampledTable } from '#test/helpers/sampled-table.ts'
import type { StoredRow } from '#test/helpers/stored.ts'

const valuesOf = (rows: readonly StoredRow[], name: string): unknown[] => rows.map((row) => row[name])

describe.each([
  ['gzip', 'jsonl.gz', true],
  ['zstd', 'jsonl.zst', false],
] as const)('every value is read back from %s', (compression, ending, nullable) => {
  const { columns, rows, stored } = sampledTable(SAMPLED, { nullable, times: 1 })
  let file: Uint8Array
  let byDuckDB: DuckDBTable

  beforeAll(async () => {
    file = encoded(new JsonLinesRows(columns, compression), rows)
    byDuckDB = await readLinesWithDuckDB(file, ending, columns)
  })

  test('one line is one row', () => {
    const lines = linesOf(file, compression)
    expect(lines).toHaveLength(rows.length)
    const names = columns.map(({ name }) => name)
    for (const line of lines) expect(Object.keys(JSON.parse(line) as object)).toEqual(names)
  })

  test.each(columns)('$name, digit by digit', ({ name }) => {
    expect(valuesOf(readLines(file, compression, columns), name)).toEqual(valuesOf(stored, name))
  })

  test.each(columns)('$name, by DuckDB', ({ name }) => {
    expect(valuesOf(byDuckDB.rows, name)).toEqual(valuesOf(stored, name))
  })
})

function lineOf(columns: readonly Column[], row: Row): string {
  const [line, ...others] = linesOf(encoded(new JsonLinesRows(columns, 'gzip'), [row]), 'gzip')
  expect(others).toEqual([])
  return line ?? ''
}

test('each type has its text', () => {
  const columns = [
    maybe('s', 'string'),
    maybe('i', 'int64'),
    maybe('d', 'double'),
    maybe('n', decimal(10, 2)),
    maybe('t', timestamp('us', true)),
    maybe('l', timestamp('ms', false)),
    maybe('day', 'date'),
    maybe('u', 'uuid'),
    maybe('b', 'binary'),
    maybe('o', structOf(maybe('x y', 'boolean'), maybe('m', mapOf(maybe, listOf(maybe, 'int32'))))),
    maybe('z', 'string'),
  ]
  const row = {
    s: 'a"\n',
    i: 9_223_372_036_854_775_807n,
    d: 1e21,
    n: '-0.5',
    t: '2013-01-01T05:15:00.000001-05:00',
    l: '1969-12-31T23:59:59.999',
    day: '0001-01-01',
    u: '0F8FAD5B-D9CB-469F-A165-70867728950E',
    b: Uint8Array.of(0, 255),
    o: { 'x y': true, m: { k: [1, null] } },
  }
  expect(lineOf(columns, row)).toBe(
    '{"s":"a\\"\\n","i":9223372036854775807,"d":1e+21,"n":"-0.50","t":"2013-01-01T10:15:00.000001Z",' +
      '"l":"1969-12-31T23:59:59.999","day":"0001-01-01","u":"0f8fad5b-d9cb-469f-a165-70867728950e","b":"AP8=",' +
      '"o":{"x y":true,"m":{"k":[1,null]}},"z":null}',
  )
})

test.each([
  [Number.NaN, '"NaN"'],
  [Number.POSITIVE_INFINITY, '"Infinity"'],
  [Number.NEGATIVE_INFINITY, '"-Infinity"'],
  [-0, '-0.0'],
  [0, '0'],
  [-1e-7, '-1e-7'],
])('the double %p is %s', (number, text) => {
  expect(lineOf([always('d', 'double')], { d: number })).toBe(`{"d":${text}}`)
})

test.each(['a\nb', 'a\r\nb', 'a\u2028b\u2029c', 'a\u0085b', '\u0000', '\ufeff', '"},\n{"t":"', '😀\uffff'])(
  'the text %j stays on its line, as name, key and value',
  (text) => {
    const columns = [
      maybe(text, 'string'),
      maybe('m', mapOf(maybe, 'string')),
      maybe('s', structOf(maybe(text, 'string'))),
    ]
    const row = { [text]: text, m: { [text]: text }, s: { [text]: text } }
    const line = lineOf(columns, row)
    expect(line).not.toMatch(/[\n\r\0]/)
    expect(JSON.parse(line)).toEqual(row)
  },
)

test('a map keeps the key __proto__', () => {
  const line = lineOf([maybe('m', mapOf(maybe, 'int32'))], { m: new Map([['__proto__', 1]]) })
  expect(line).toBe('{"m":{"__proto__":1}}')
})

test('times beyond four digits of a year are refused, for engines could not read the file', () => {
  const columns = [
    maybe('ok', 'int32'),
    maybe('t', timestamp('us', true)),
    maybe('l', listOf(maybe, timestamp('ms', true))),
  ]
  const file = new JsonLinesRows(columns, 'gzip')
  const dates = new JsonLinesRows([maybe('d', 'date')], 'gzip')
  for (const [t] of BEYOND_THE_CALENDAR)
    expect(() => file.append({ ok: 1, t })).toThrow(expect.objectContaining({ name: 'UnstorableError', column: 't' }))
  expect(() => file.append({ l: [new Date(8.64e15)] })).toThrow(expect.objectContaining({ column: 'l' }))
  expect(() => dates.append({ d: '0000-12-31' })).toThrow(expect.objectContaining({ column: 'd' }))
  expect(file.count).toBe(0)
  file.append({ t: '0001-01-01T00:00:00Z' })
  file.append({ t: '9999-12-31T23:59:59.999999Z' })
  expect(linesOf(file.encode().body, 'gzip')).toEqual([
    '{"ok":null,"t":"0001-01-01T00:00:00.000000Z","l":null}',
    '{"ok":null,"t":"9999-12-31T23:59:59.999999Z","l":null}',
  ])
})

describe('appending', () => {
  const columns = [always('a', 'int64'), maybe('b', 'date')]

  test('a refused row leaves no trace, and the row that came last can be taken back', () => {
    const file = new JsonLinesRows(columns, 'gzip')
    file.append({ a: 1 })
    expect(() => file.append({ a: 2, b: 'x' })).toThrow(UnstorableError)
    file.append({ a: 3 })
    file.removeLast()
    file.append({ a: 4, b: '1970-01-02' })
    expect(file.count).toBe(2)
    expect(linesOf(file.encode().body, 'gzip')).toEqual(['{"a":1,"b":null}', '{"a":4,"b":"1970-01-02"}'])
  })

  test('no rows are no lines', () => {
    const file = new JsonLinesRows(columns, 'zstd')
    expect(file.count).toBe(0)
    expect(linesOf(file.encode().body, 'zstd')).toEqual([])
  })
})
