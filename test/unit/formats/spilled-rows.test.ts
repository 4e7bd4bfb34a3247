import { gunzipSync } from 'node:zlib'
import { parquetMetadata } from 'hyparquet'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import { readParquetRows } from '#shared/formats/parquet-rows.ts'
import { rowPositions } from '#shared/formats/row-positions.ts'
import { flights } from '#functions/flights/pipeline.ts'
import type { FileFormat } from '#shared/pipeline/table.ts'

const { table } = flights
const ROWS = Array.from({ length: 700 }, (_, i) => ({
  scheduledAt: new Date(Date.UTC(2013, 0, 1, 0, i)),
  carrier: i % 3 === 0 ? 'UA' : 'B6',
  flight: i + 1,
  tailNumber: i % 5 === 0 ? null : `N${i}`,
  origin: 'JFK',
  destination: 'LAX',
  cancelled: i % 7 === 0,
  departedAt: null,
  departureDelayMinutes: 300 - i,
  scheduledArrivalTime: '10:00',
  arrivalTime: null,
  arrivalDelayMinutes: null,
  airTimeMinutes: null,
  distanceMiles: 2475,
  _epoch: 0,
  _kafka_partition: 0,
  _offset: i,
  _index: 0,
  _timestamp: Date.UTC(2013, 0, 1),
}))

/** The file of all rows, spilled behind each of these counts. */
function file(format: FileFormat, spills: readonly number[]) {
  const rows = fileRowsOf({ ...table, format })
  const parts: Uint8Array[] = []
  for (const [i, row] of ROWS.entries()) {
    if (spills.includes(i)) parts.push(rows.spill())
    rows.append(row)
  }
  if (spills.includes(ROWS.length)) parts.push(rows.spill())
  const { body, statistics } = rows.encode({ a: 'b' })
  return { body: Buffer.concat([...parts, body]), statistics, count: rows.count, last: body.length }
}

test('rows that are spilled as row groups make the same file as others, with the statistics of all', async () => {
  const whole = file('parquet', [])
  const spilled = file('parquet', [100, 350])
  expect(spilled.count).toBe(ROWS.length)
  const columns = table.columns.map(({ name }) => name)
  const read = (body: Buffer) => readParquetRows(new Uint8Array(body), columns)
  expect(await read(spilled.body)).toEqual(await read(whole.body))
  const { row_groups: groups } = parquetMetadata(new Uint8Array(spilled.body).buffer)
  expect(groups.map(({ num_rows }) => Number(num_rows))).toEqual([100, 250, 350])
  // Where each group begins: a reader that goes there finds its columns.
  expect(spilled.statistics?.splits).toEqual(groups.map(({ columns: [first] }) => Number(first?.file_offset)))
  const bounds = ({ statistics }: typeof whole) =>
    statistics?.fields.map(([id, , values, nulls, nans, lower, upper]) => [id, values, nulls, nans, lower, upper])
  expect(bounds(spilled)).toEqual(bounds(whole))
})

test('a file of which all is spilled still ends', async () => {
  const { body } = file('parquet', [ROWS.length])
  expect(await readParquetRows(new Uint8Array(body), ['_offset'])).toHaveLength(ROWS.length)
})

test('lines of gzip that are spilled are read like others', async () => {
  const whole = file('jsonl.gz', [])
  for (const spills of [[100, 350], [ROWS.length], [1, ROWS.length]]) {
    const spilled = file('jsonl.gz', spills)
    expect(spilled.count).toBe(ROWS.length)
    expect(gunzipSync(spilled.body).equals(gunzipSync(whole.body))).toBe(true)
    let rows = 0
    for await (const positions of rowPositions('a.jsonl.gz', new Uint8Array(spilled.body))) rows += positions.count
    expect(rows).toBe(ROWS.length)
  }
})

test('lines of Zstandard are not spilled: who reads no further than its first frame would miss the rest', () => {
  expect(fileRowsOf({ ...table, format: 'jsonl.zst' }).canSpill).toBe(false)
  expect(fileRowsOf({ ...table, format: 'jsonl.gz' }).canSpill).toBe(true)
})
