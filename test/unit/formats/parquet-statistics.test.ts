import { parquetMetadata } from 'hyparquet'
import type { ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { always, decimal, listOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'
import { askParquet } from '#test/helpers/duckdb-reader.ts'
import { parquetOf } from '#test/helpers/sampled-table.ts'
import { hex } from '#test/helpers/stored.ts'

const AS_STORED = {
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  dateFromDays: (value: number) => value,
  stringFromBytes: (value: Uint8Array) => Buffer.from(value),
  uuidFromBytes: hex,
} as unknown as NonNullable<Parameters<typeof parquetMetadata>[1]>['parsers']

interface Statistics {
  readonly min: unknown
  readonly max: unknown
  readonly nulls: number
  readonly minIsExact: boolean
  readonly maxIsExact: boolean
}

/** The statistics of each leaf of a column of these values. */
function leavesOf(type: ColumnType, values: readonly unknown[]): Statistics[] {
  const file = parquetOf(
    [maybe('v', type)],
    values.map((v) => ({ v })),
  )
  const footer = parquetMetadata(file, { parsers: AS_STORED ?? {} })
  return (footer.row_groups[0]?.columns ?? []).map(({ meta_data: chunk }) => {
    const { min_value: min, max_value: max, null_count: nulls, ...exact } = chunk?.statistics ?? {}
    const { is_min_value_exact: minIsExact = true, is_max_value_exact: maxIsExact = true } = exact
    return { min, max, nulls: Number(nulls), minIsExact, maxIsExact }
  })
}

function statisticsOf(type: ColumnType, values: readonly unknown[]): Statistics {
  const [leaf, ...others] = leavesOf(type, values)
  expect(others).toEqual([])
  return leaf as Statistics
}

const bytesOf = (value: unknown): Buffer => value as Buffer
const textOf = (value: unknown): string => new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(value))

test.each<[string, ColumnType, unknown[], unknown, unknown]>([
  ['int32', { kind: 'int32' }, [3, -5, null, 7, 0], -5, 7],
  ['int64', { kind: 'int64' }, [9_007_199_254_740_993n, 9_007_199_254_740_992n, -2n], -2n, 9_007_199_254_740_993n],
  ['boolean', { kind: 'boolean' }, [true, null, true], true, true],
  ['both booleans', { kind: 'boolean' }, [true, false], false, true],
  ['date', { kind: 'date' }, ['1970-01-02', '1969-12-31'], -1, 1],
  ['timestamp', timestamp('us', true), [new Date(1), '1969-12-31T23:59:59.999999Z'], -1n, 1000n],
  ['milliseconds of no zone', timestamp('ms', false), ['1970-01-01T00:00:00.001', '1969-12-31T23:59:59.999'], -1n, 1n],
  ['double', { kind: 'double' }, [0.5, -2.5, null, 1e300], -2.5, 1e300],
  ['float', { kind: 'float' }, [0.1, -0.1], Math.fround(-0.1), Math.fround(0.1)],
  ['infinities', { kind: 'double' }, [1, -Infinity, Infinity], -Infinity, Infinity],
  ['NaN among numbers', { kind: 'double' }, [NaN, 2, NaN, 1], 1, 2],
  ['NaN among floats', { kind: 'float' }, [2, NaN], 2, 2],
  ['nothing but NaN', { kind: 'double' }, [NaN, null, NaN], undefined, undefined],
  // Parquet format, `Statistics`: a zero bound says nothing of its sign, so the wider one is written.
  ['zero', { kind: 'double' }, [0], -0, 0],
  ['negative zero', { kind: 'double' }, [-0, -0], -0, 0],
  ['floats that round to zero', { kind: 'float' }, [-1e-50], -0, 0],
  ['nothing but null', { kind: 'int32' }, [null, null], undefined, undefined],
  ['decimals of 32 bits', decimal(9, 2), ['-0.01', '1.5', '0'], -0.01, 1.5],
  [
    'uuid',
    { kind: 'uuid' },
    ['7f'.repeat(16), '80'.repeat(16)],
    '7f7f7f7f-7f7f-7f7f-7f7f-7f7f7f7f7f7f'.replaceAll('-', ''),
    '80'.repeat(16),
  ],
])('the bounds of %s', (_, type, values, min, max) => {
  const nulls = values.filter((value) => value === null).length
  expect(statisticsOf(type, values)).toEqual({ min, max, nulls, minIsExact: true, maxIsExact: true })
})

test.each([1, 9, 10, 18, 19, 38])('the bounds of decimals of %d digits are exact and signed', async (precision) => {
  const greatest = '9'.repeat(precision)
  const file = parquetOf(
    [maybe('v', decimal(precision, 0))],
    ['0', greatest, `-${greatest}`, '-1', '1'].map((v) => ({ v })),
  )
  const [bounds] = await askParquet(
    file,
    (path) => `SELECT stats_min_value AS min, stats_max_value AS max FROM parquet_metadata('${path}')`,
  )
  expect(bounds).toEqual({ min: `-${greatest}`, max: greatest })
})

// Texts that come often take another way into the file than those that come once.
describe.each([1, 4])('the bounds of texts that come %d times', (times) => {
  const repeated = (...texts: string[]): string[] => Array.from({ length: times }, () => texts).flat()
  const boundsOf = (...texts: string[]): string[] => {
    const { min, max } = statisticsOf({ kind: 'string' }, repeated(...texts))
    return [textOf(min), textOf(max)]
  }

  test('go by their bytes', () => {
    expect(boundsOf('b', 'a', '', 'ab')).toEqual(['', 'b'])
    expect(boundsOf('Z', 'a', 'é')).toEqual(['Z', 'é'])
    // By UTF-16 units it is the other way around.
    expect(boundsOf('\u{10000}', '\uffff')).toEqual(['\uffff', '\u{10000}'])
    expect(boundsOf('x\u{1f600}', 'x\uff5e')).toEqual(['x\uff5e', 'x\u{1f600}'])
  })

  test.each([
    ['of one byte each', 'a'.repeat(100)],
    ['of two bytes', 'é'.repeat(100)],
    ['of three bytes', '中'.repeat(100)],
    ['of four bytes', '😀'.repeat(100)],
    ['whose last has no successor of its length', `${'x'.repeat(14)}\u07ff${'y'.repeat(50)}`],
    ['before the surrogates', `${'x'.repeat(12)}\ud7ff${'\ud7ff'.repeat(9)}`],
  ])('long texts %s are cut: less at the one end, more at the other', (_, text) => {
    const { min, max, minIsExact, maxIsExact } = statisticsOf({ kind: 'string' }, repeated(text))
    expect([minIsExact, maxIsExact]).toEqual([false, false])
    expect(Math.max(bytesOf(min).length, bytesOf(max).length)).toBeLessThanOrEqual(16)
    expect(text.startsWith(textOf(min))).toBe(true)
    expect(textOf(min)).not.toBe('')
    expect(Buffer.compare(bytesOf(max), Buffer.from(text))).toBe(1)
    // Close to it: no text that is less by its first bytes is taken in.
    expect(bytesOf(max).subarray(0, 8).equals(Buffer.from(text).subarray(0, 8))).toBe(true)
    expect(textOf(max)).not.toContain('\ufffd')
  })

  test('the greatest text has no shorter bound', () => {
    const text = '\u{10ffff}'.repeat(10)
    const { min, max, maxIsExact } = statisticsOf({ kind: 'string' }, repeated(text))
    expect([textOf(min), textOf(max), maxIsExact]).toEqual(['\u{10ffff}'.repeat(4), text, true])
  })
})

test('the bounds of bytes are unsigned, and cut likewise', () => {
  const short = statisticsOf({ kind: 'binary' }, [Uint8Array.of(0x80), Uint8Array.of(0x7f, 1), Uint8Array.of(0x7f)])
  expect([hex(bytesOf(short.min)), hex(bytesOf(short.max))]).toEqual(['7f', '80'])
  const long = statisticsOf({ kind: 'binary' }, [Buffer.concat([Buffer.alloc(10, 1), Buffer.alloc(20, 0xff)])])
  expect([hex(bytesOf(long.min)), hex(bytesOf(long.max))]).toEqual([
    `${'01'.repeat(10)}${'ff'.repeat(6)}`,
    `${'01'.repeat(9)}02`,
  ])
  const greatest = statisticsOf({ kind: 'binary' }, [Buffer.alloc(20, 0xff)])
  expect(hex(bytesOf(greatest.max))).toBe('ff'.repeat(20))
})

test('within lists and structs each leaf has its own, and whatever is missing counts as null', () => {
  const type = structOf(maybe('l', listOf(maybe, 'int32')), maybe('t', 'string'))
  const values = [{ l: [3, null, 1], t: 'b' }, { l: [], t: null }, { l: null, t: 'a' }, null]
  const [list, text] = leavesOf(type, values) as [Statistics, Statistics]
  expect([list.min, list.max, list.nulls]).toEqual([1, 3, 4])
  expect([textOf(text.min), textOf(text.max), text.nulls]).toEqual(['a', 'b', 2])
})

/** What an engine finds by a filter, which it holds against the statistics first. */
test.each<[string, ColumnType, unknown[], string[]]>([
  [
    'texts',
    { kind: 'string' },
    ['a', '\uffff', '\u{10000}', 'é'.repeat(50), ''],
    ["'\uffff'", "'\u{10000}'", `'${'é'.repeat(50)}'`, "''"],
  ],
  ['zeros', { kind: 'double' }, [-0, -0], ['0.0', '-0.0']],
  ['numbers', { kind: 'double' }, [NaN, 5, Infinity], ["'NaN'::DOUBLE", '5', "'Infinity'::DOUBLE"]],
  ['decimals', decimal(38, 1), ['-0.1', '9999999999.9'], ['-0.1', '9999999999.9']],
  [
    'times',
    timestamp('us', true),
    ['1969-12-31T23:59:59.999999Z', new Date(0)],
    ["'1969-12-31 23:59:59.999999+00'::TIMESTAMPTZ"],
  ],
])('a filter on %s finds every value', async (_, type, values, literals) => {
  const rows: Row[] = values.map((v) => ({ v }))
  const file = parquetOf([always('v', type)], rows)
  for (const literal of literals) {
    const [found] = await askParquet(file, (path) => `SELECT count(*) AS n FROM '${path}' WHERE v = ${literal}`)
    expect([literal, Number(found?.['n'])]).toEqual([literal, literal.includes('0.0') ? 2 : 1])
  }
})
