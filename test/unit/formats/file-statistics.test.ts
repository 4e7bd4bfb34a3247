import { ParquetRows } from '#shared/formats/parquet.ts'
import { parquetMetadata } from 'hyparquet'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { FieldStatistics, FileStatistics } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from '#test/helpers/columns.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

interface Written {
  readonly body: Uint8Array
  readonly statistics: FileStatistics
}

/** A file of these columns, with ids from 1 depth first; none of Inlet's own. */
function written(columns: readonly Column[], rows: readonly Row[]): Written {
  const withIds = lockedTable('t', columns).columns.filter(({ name }) => !name.startsWith('_'))
  const file = new ParquetRows(withIds)
  for (const row of rows) file.append(row)
  const { body, statistics } = file.encode({})
  if (statistics === null) throw new Error('it has no statistics')
  return { body, statistics }
}

function fieldsOf(type: ColumnType, values: readonly unknown[]): readonly FieldStatistics[] {
  return written(
    [maybe('v', type)],
    values.map((v) => ({ v })),
  ).statistics.fields
}

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')

test.each<[string, ColumnType, unknown[], string | null, string | null]>([
  ['int32', { kind: 'int32' }, [3, -5, null, 7], 'fbffffff', '07000000'],
  ['int64', { kind: 'int64' }, [1n, 2n ** 53n + 1n], '0100000000000000', '0100000000002000'],
  ['boolean', { kind: 'boolean' }, [true, false], '00', '01'],
  ['date', { kind: 'date' }, ['1970-01-02', '1969-12-31'], 'ffffffff', '01000000'],
  ['timestamp', timestamp('us', true), [new Date(1), new Date(-1)], '18fcffffffffffff', 'e803000000000000'],
  ['text', { kind: 'string' }, ['b', 'a', '\uffff', '\u{10000}'], '61', 'f0908080'],
  ['long text', { kind: 'string' }, ['x'.repeat(500)], '78'.repeat(16), `${'78'.repeat(15)}79`],
  ['text without bound', { kind: 'string' }, ['\u{10ffff}'.repeat(17)], 'f48fbfbf'.repeat(16), null],
  ['bytes', { kind: 'binary' }, [Buffer.of(0x80), Buffer.of(0x7f, 1)], '7f01', '80'],
  ['decimal', decimal(38, 0), ['-1', '300'], 'ff', '012c'],
  ['decimal of 32 bits', decimal(9, 2), ['-0.01', '1.28'], 'ff', '0080'],
  // Java orders UUIDs otherwise than by their bytes.
  ['uuid', { kind: 'uuid' }, ['00000000-0000-0000-0000-000000000001'], null, null],
  ['nothing but null', { kind: 'int32' }, [null, null], null, null],
])('the bounds of %s', (_, type, values, lower, upper) => {
  const [[id, bytes, count, nulls, nans, ...bounds] = []] = fieldsOf(type, values)
  expect([id, count, nulls, nans]).toEqual([1, values.length, values.filter((value) => value === null).length, null])
  expect(bytes).toBeGreaterThan(0)
  expect(bounds).toEqual([lower === null ? null : base64(lower), upper === null ? null : base64(upper)])
})

test.each<[string, ColumnType, number[], number, string | null, string | null]>([
  ['double', { kind: 'double' }, [NaN, 2, NaN, 1], 2, '000000000000f03f', '0000000000000040'],
  ['float', { kind: 'float' }, [1.5, -1.5], 0, '0000c0bf', '0000c03f'],
  // −0 comes before 0, and the encoder's statistics do not tell them apart.
  ['zero', { kind: 'double' }, [0, 0], 0, '0000000000000080', '0000000000000000'],
  ['nothing but NaN', { kind: 'double' }, [NaN, NaN], 2, null, null],
  ['infinities', { kind: 'float' }, [-Infinity, Infinity], 0, '000080ff', '0000807f'],
])('NaN is counted, and is in no bound: %s', (_, type, values, nans, lower, upper) => {
  const [[, , count, , ...rest] = []] = fieldsOf(type, values)
  expect(count).toBe(values.length)
  expect(rest).toEqual([nans, lower === null ? null : base64(lower), upper === null ? null : base64(upper)])
})

test('texts that come often have the same bounds as those that come once', () => {
  const [once] = fieldsOf({ kind: 'string' }, ['b', 'é'.repeat(50)])
  const [often] = fieldsOf(
    { kind: 'string' },
    Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 'b' : 'é'.repeat(50))),
  )
  expect(often?.slice(5)).toEqual(once?.slice(5))
})

test('within structs each leaf has its own, by its id; within lists and maps there are no bounds', () => {
  const columns = [
    maybe('s', structOf(always('a', 'int32'), maybe('l', listOf(maybe, 'int32')))),
    always('m', mapOf(maybe, 'double')),
    always('z', 'int32'),
  ]
  const rows = [
    { s: { a: 7, l: [1, null] }, m: { x: 1, y: null }, z: 1 },
    { s: null, m: {}, z: 2 },
  ]
  const { fields } = written(columns, rows).statistics
  // s 1, s.a 2, s.l 3, its element 4, m 5, its key 6, its value 7, z 8.
  expect(fields.map(([id]) => id)).toEqual([2, 4, 6, 7, 8])
  expect(fields[0]?.slice(2)).toEqual([2, 1, null, base64('07000000'), base64('07000000')])
  for (const [id, , values, nulls, , lower, upper] of fields.slice(1, 4))
    expect([id, values, nulls, lower, upper]).toEqual([id, 3, id === 6 ? 1 : 2, null, null])
})

test('sizes and splits are those of the file', () => {
  const { body, statistics } = written([always('a', 'int32'), always('b', 'string')], [{ a: 1, b: 'x' }])
  const { row_groups: groups } = parquetMetadata(Uint8Array.from(body).buffer)
  expect(statistics.splits).toEqual([4])
  expect(statistics.fields.map(([, bytes]) => bytes)).toEqual(
    groups[0]?.columns.map(({ meta_data: chunk }) => Number(chunk?.total_compressed_size)),
  )
})

test('row groups are summed up', () => {
  const rows = Array.from({ length: 122_880 + 10 }, (_, i) => ({
    n: i,
    t: `${i % 5}`,
    d: i === 122_885 ? Number.NaN : -i,
  }))
  const { body, statistics } = written([always('n', 'int32'), always('t', 'string'), always('d', 'double')], rows)
  const { row_groups: groups } = parquetMetadata(Uint8Array.from(body).buffer)
  expect(groups).toHaveLength(2)
  expect(statistics.splits).toEqual(groups.map(({ columns }) => Number(columns[0]?.file_offset)))
  const [n, t, d] = statistics.fields
  expect(n?.slice(2)).toEqual([rows.length, 0, null, base64('00000000'), base64('09e00100')])
  expect(t?.slice(2)).toEqual([rows.length, 0, null, base64('30'), base64('34')])
  const least = Buffer.alloc(8)
  least.writeDoubleLE(-(rows.length - 1))
  expect(d?.slice(2)).toEqual([rows.length, 0, 1, least.toString('base64'), base64('0000000000000000')])
  expect(n?.[1]).toBe(
    groups.reduce((sum, { columns }) => sum + Number(columns[0]?.meta_data?.total_compressed_size), 0),
  )
})

test("of many columns the first hundred have statistics, and Inlet's own", () => {
  const { columns } = lockedTable(
    't',
    Array.from({ length: 150 }, (_, i) => maybe(`c${i}`, 'int32')),
  )
  const file = new ParquetRows(columns)
  file.append({ _epoch: 0, _kafka_partition: 0, _offset: 1, _index: 0, _timestamp: 0 })
  const { statistics } = file.encode({})
  expect(statistics?.fields.map(([id]) => id)).toEqual([
    ...Array.from({ length: 100 }, (_, i) => i + 1),
    151,
    152,
    153,
    154,
    155,
  ])
})

test('columns without ids have none', () => {
  const file = new ParquetRows([always('a', 'int32')])
  file.append({ a: 1 })
  expect(file.encode({}).statistics).toBeNull()
})
