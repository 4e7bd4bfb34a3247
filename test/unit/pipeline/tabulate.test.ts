import * as z from 'zod'
import { InletError } from '#shared/pipeline/errors.ts'
import { compileFlow, type Flow } from '#shared/pipeline/flow.ts'
import type { Outcome, Row } from '#shared/pipeline/outcome.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { type Tabulation, tabulate } from '#shared/pipeline/tabulate.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'

const declaration = {
  name: 'flights',
  topic: 'flights',
  event: z.object({ days: z.array(z.iso.date().nullable()) }),
  row: z.object({ at: z.date().nullable() }),
  transform: ({ value }: { value: { days: (string | null)[] } }) =>
    value.days.map((day) => ({ at: day === null ? null : new Date(`${day}T12:00:00Z`) })),
}
const flow = compileFlow(
  definePipeline({ ...declaration, lake: { table: 'flights', layout: 'files', partitionBy: { at: 'day' } } }),
)

/** One record for each list of days; anything else is its value as it stands. */
function records(...values: ((string | null)[] | string)[]): KafkaRecord[] {
  return values.map((value, i) => {
    const text = typeof value === 'string' ? value : JSON.stringify({ days: value })
    return kafkaRecord(text, { partition: 3, offset: 10 + i, timestamp: Date.UTC(2014, 0, 1 + i) })
  })
}

async function filesOf({ partitions }: Tabulation): Promise<{ table: string; values: unknown; rows: Row[] }[]> {
  return Promise.all(
    partitions.map(async ({ table, values, rows }) => ({
      table: table.name,
      values,
      rows: await readParquet(rows.encode({}).body),
    })),
  )
}

const offsetsOf = (rows: readonly Row[]): unknown[] => rows.map((row) => [Number(row['_offset']), row['_index']])

test('rows of one table partition become one file, whatever records they come from', async () => {
  const values = records(['2013-01-01', '2013-01-02'], ['2013-01-02'], ['2013-01-01', null])
  const files = await filesOf(tabulate(values, flow, 0))
  expect(files.map(({ table, values: partition, rows }) => [table, partition, offsetsOf(rows)])).toEqual([
    [
      'flights',
      [15_706],
      [
        [10, 0],
        [12, 0],
      ],
    ],
    [
      'flights',
      [15_707],
      [
        [10, 1],
        [11, 0],
      ],
    ],
    ['flights', [null], [[12, 1]]],
  ])
})

test('a row can be traced to its record: epoch, partition, offset, index within the record, timestamp', async () => {
  const [file] = await filesOf(tabulate(records(['2013-01-01', '2013-01-01']), flow, 7))
  expect(file?.rows).toEqual(
    [0, 1].map((index) => ({
      at: new Date('2013-01-01T12:00:00Z'),
      _epoch: 7,
      _kafka_partition: 3,
      _offset: 10n,
      _index: index,
      _timestamp: new Date('2014-01-01T00:00:00Z'),
    })),
  )
})

test('rejected records become dead letters by the day of their Kafka timestamp, and their offsets are named', async () => {
  const tabulation = tabulate(records('{', ['2013-01-01'], '{}', '['), flow, 0)
  const files = await filesOf(tabulation)
  expect(tabulation.rejected).toEqual([10, 12, 13])
  expect(files.map(({ table, values, rows }) => [table, values, offsetsOf(rows)])).toEqual([
    ['flights_dead_letters', [16_071], [[10, 0]]],
    ['flights', [15_706], [[11, 0]]],
    ['flights_dead_letters', [16_073], [[12, 0]]],
    ['flights_dead_letters', [16_074], [[13, 0]]],
  ])
})

test('records are counted by outcome, and rows apart', () => {
  const values = [...records(['2013-01-01', '2013-01-02'], [], '{'), kafkaRecord(null, { offset: 99 })]
  expect(tabulate(values, flow, 0).counts).toEqual({ records: 4, written: 1, skipped: 2, rejected: 1, rows: 2 })
})

test('no records make no files', () => {
  const counts = { records: 0, written: 0, skipped: 0, rejected: 0, rows: 0 }
  expect(tabulate([], flow, 0)).toEqual({ partitions: [], rejected: [], counts, watermark: null })
})

describe('the watermark', () => {
  const noon = (day: string): number => Date.parse(`${day}T12:00:00Z`)

  test('is the greatest event time, wherever it stands', () => {
    const values = records(['2013-01-02', '2013-03-01'], ['2013-02-01', null], '{')
    expect(tabulate(values, flow, 0).watermark).toBe(noon('2013-03-01'))
  })

  test('may lie before 1970', () => {
    expect(tabulate(records(['1903-12-17']), flow, 0).watermark).toBe(noon('1903-12-17'))
  })

  test.each([
    ['no row has a time', flow, records([null], '{')],
    ['there are no rows', flow, records([], '{')],
    [
      'the table is not partitioned by one',
      compileFlow(definePipeline({ ...declaration, lake: { table: 'flights', layout: 'files' } })),
      records(['2013-01-01']),
    ],
  ])('is null when %s', (_, someFlow, values) => {
    expect(tabulate(values, someFlow, 0).watermark).toBeNull()
  })
})

describe('a tabulation that does not add up is not written', () => {
  const outcome: Record<string, Outcome> = {
    row: { kind: 'written', rows: [{ row: { at: null }, partition: [null] }] },
    nothing: { kind: 'written', rows: [] },
  }
  const wrong = (name: string): Flow => ({ ...flow, recordPath: () => ({ ...(outcome[name] as Outcome) }) })

  test('a record that is written, but as no row', () => {
    expect(() => tabulate(records('1'), wrong('nothing'), 0)).toThrow(InletError)
    expect(() => tabulate(records('1', '2'), wrong('nothing'), 0)).toThrow(
      'pipeline flights: of 2 records from flights-3@10 0 are rows, 0 dead letters, 0 skipped and 0 in two places',
    )
  })

  test('two records at one offset', () => {
    const [first] = records(['2013-01-01'])
    const twice = [first, first] as KafkaRecord[]
    expect(() => tabulate(twice, flow, 0)).toThrow('of 2 records from flights-3@10 1 are rows')
  })

  test('an offset that is a row and a dead letter', () => {
    const [good, bad] = records(['2013-01-01'], '{')
    const both = [good, { ...bad, offset: good?.offset }] as KafkaRecord[]
    expect(() => tabulate(both, flow, 0)).toThrow('1 in two places')
  })

  test('an offset that is a dead letter twice', () => {
    const [bad] = records('{')
    expect(() => tabulate([bad, bad] as KafkaRecord[], flow, 0)).toThrow('nothing was committed')
  })

  test('and when it adds up, it is', () => {
    expect(tabulate(records('1'), wrong('row'), 0).counts.rows).toBe(1)
  })
})
