import * as z from 'zod'
import { compileFlow, type Flow } from '#shared/pipeline/flow.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import type { FileFormat } from '#shared/pipeline/table.ts'
import type { TablePartition } from '#shared/pipeline/table-partitions.ts'
import { type Tabulation, tabulate } from '#shared/pipeline/tabulate.ts'
import { linesOf } from '#test/helpers/json-lines-reader.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'

/** Values that the contract lets through and the column may not hold. */
const Sale = z.object({
  at: z.iso.datetime({ offset: true }).meta({ column: 'timestamp' }),
  price: z.string().meta({ column: 'decimal(5,2)' }),
  id: z.string().nullish().meta({ column: 'uuid' }),
  bytes: z.string().nullish().meta({ column: 'binary' }),
  day: z.string().nullish().meta({ column: 'date' }),
  note: z.string().nullish(),
  tags: z.array(z.object({ weight: z.string().meta({ column: 'decimal(3,1)' }) })).nullish(),
})
type Sale = z.infer<typeof Sale>

function flowOf(format: FileFormat): Flow {
  const pipeline = definePipeline({
    name: 'sales',
    topic: 'flights',
    event: z.object({ sales: z.array(z.record(z.string(), z.any())) }),
    row: Sale,
    transform: ({ value }) => value.sales as Sale[],
    lake: { table: 'sales', layout: 'files', partitionBy: { at: 'day' }, format },
  })
  return compileFlow(pipeline)
}

const good = { at: '2013-01-01T10:00:00Z', price: '1.50' }
const nextDay = { ...good, at: '2013-01-02T10:00:00Z' }
const bad = { ...good, price: '1.555' }

/** One record for each list of sales. */
function tabulated(format: FileFormat, ...lists: Record<string, unknown>[][]): Tabulation {
  const records = lists.map((sales, i) => kafkaRecord(JSON.stringify({ sales }), { offset: 10 + i }))
  return tabulate(records, flowOf(format), 0)
}

async function rowsOf({ table, rows }: TablePartition): Promise<Row[]> {
  const file = rows.encode({}).body
  return table.format === 'parquet' ? readParquet(file) : linesOf(file, 'gzip').map((line) => JSON.parse(line) as Row)
}

/** Table partitions with the origins of their rows. */
async function originsIn({ partitions }: Tabulation): Promise<unknown[]> {
  return Promise.all(
    partitions.map(async (partition) => {
      const rows = await rowsOf(partition)
      const origins = rows.map((row) => `${String(row['_offset'])}.${String(row['_index'])}`)
      expect(partition.offsets.map(String)).toEqual(rows.map((row) => String(row['_offset'])))
      return [partition.table.name, partition.values[0], ...origins]
    }),
  )
}

async function deadLettersOf({ partitions }: Tabulation): Promise<Row[]> {
  const dead = partitions.filter(({ table }) => table.name === 'sales_dead_letters')
  return (await Promise.all(dead.map(rowsOf))).flat()
}

describe.each(['parquet', 'jsonl.gz'] as const)('in a table of %s', (format) => {
  test.each<[string, Record<string, unknown>, string]>([
    ['price', { price: '1.555' }, 'expected at most 2 digits behind the point'],
    ['price', { price: '1000' }, 'expected at most 5 digits'],
    ['price', { price: 'free' }, 'expected a decimal number, as -12.50'],
    ['id', { id: 'no uuid' }, 'expected a UUID'],
    ['bytes', { bytes: 'AP8' }, 'expected bytes, or base64 of them'],
    ['day', { day: '2013-02-29' }, 'expected a date of the calendar, as 2013-01-31'],
    ['tags', { tags: [{ weight: '1' }, { weight: '0.25' }] }, 'expected at most 1 digits behind the point'],
  ])('a value that %s cannot hold makes a dead letter of its record: %j', async (field, change, message) => {
    const tabulation = tabulated(format, [good], [{ ...good, ...change }], [good])
    expect(tabulation.counts).toEqual({ records: 3, written: 2, skipped: 0, rejected: 1, rows: 2 })
    expect(tabulation.rejected).toEqual([11])
    expect(await originsIn(tabulation)).toEqual([
      ['sales', 15_706, '10.0', '12.0'],
      ['sales_dead_letters', 15_706, '11.0'],
    ])
    const [dead] = await deadLettersOf(tabulation)
    expect(dead).toMatchObject({ code: 'ROW_INVALID', stage: 'transform', field, message, _offset: 11n })
    expect(Buffer.from(dead?.['value'] as Uint8Array).toString()).toBe(
      JSON.stringify({ sales: [{ ...good, ...change }] }),
    )
  })

  test('its other rows are taken back, wherever they lie', async () => {
    const tabulation = tabulated(
      format,
      [good, nextDay, nextDay],
      [nextDay, good, nextDay, good, good, bad, nextDay],
      [nextDay, good],
    )
    expect(await originsIn(tabulation)).toEqual([
      ['sales', 15_706, '10.0', '12.1'],
      ['sales', 15_707, '10.1', '10.2', '12.0'],
      ['sales_dead_letters', 15_706, '11.0'],
    ])
    expect(tabulation.counts).toEqual({ records: 3, written: 2, skipped: 0, rejected: 1, rows: 5 })
  })

  test('a table partition that only it has had is none', async () => {
    const elsewhere = { ...good, at: '2020-01-01T00:00:00Z' }
    const tabulation = tabulated(format, [elsewhere, bad], [good])
    expect(await originsIn(tabulation)).toEqual([
      ['sales', 15_706, '11.0'],
      ['sales_dead_letters', 15_706, '10.0'],
    ])
  })

  test('it does not move the watermark', () => {
    const late = { ...good, at: '2030-01-01T00:00:00Z' }
    expect(tabulated(format, [good], [late, bad]).watermark).toBe(Date.parse(good.at))
    expect(tabulated(format, [good], [late]).watermark).toBe(Date.parse(late.at))
  })

  test('nothing but such records are dead letters and no rows', async () => {
    const tabulation = tabulated(format, [bad], [good, bad])
    expect(await originsIn(tabulation)).toEqual([['sales_dead_letters', 15_706, '10.0', '11.0']])
  })
})

test('a text of half a surrogate pair that a transform makes is refused too', async () => {
  const flow = flowOf('parquet')
  const halved = definePipeline({
    name: 'halved',
    topic: 'flights',
    event: z.object({ text: z.string() }),
    row: z.object({ text: z.string() }),
    transform: ({ value }) => ({ text: value.text.slice(0, 1) }),
    lake: { table: 'sales', layout: 'files' },
  })
  const records = ['😀', 'a'].map((text, offset) => kafkaRecord(JSON.stringify({ text }), { offset }))
  const tabulation = tabulate(records, { ...compileFlow(halved), deadLetters: flow.deadLetters }, 0)
  expect(tabulation.counts).toMatchObject({ written: 1, rejected: 1 })
  expect(await deadLettersOf(tabulation)).toMatchObject([{ code: 'ROW_INVALID', field: 'text', _offset: 0n }])
})

test("a record's time that JSON Lines have no text for makes a dead letter of it, which is Parquet and holds it", async () => {
  const record = kafkaRecord(JSON.stringify({ sales: [good] }), { timestamp: 1_357_035_300_123_456 })
  const tabulation = tabulate([record], flowOf('jsonl.gz'), 0)
  expect(tabulation.counts).toMatchObject({ written: 0, rejected: 1 })
  const [dead] = await deadLettersOf(tabulation)
  expect(dead).toMatchObject({ code: 'ROW_INVALID', field: '_timestamp' })
  expect(Number(dead?.['_timestamp'])).toBe(1_357_035_300_123_456)
  expect(tabulate([record], flowOf('parquet'), 0).counts).toMatchObject({ written: 1, rejected: 0 })
})
