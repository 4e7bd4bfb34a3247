import { flights } from '#functions/flights/pipeline.ts'
import { compileFlow, type Flow } from '#shared/pipeline/flow.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { tabulate, Tabulator } from '#shared/pipeline/tabulate.ts'
import { flightValues } from '#test/helpers/flights-topic.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'

const flow = compileFlow(flights)

async function records(): Promise<KafkaRecord[]> {
  const values = await flightValues()
  const valueOf = (i: number): Buffer | null =>
    i % 40 === 7 ? Buffer.from('[]') : i % 40 === 9 ? null : (values[i * 11] as Buffer)
  return Array.from({ length: 900 }, (_, i) => kafkaRecord(valueOf(i), { offset: 2 * i }))
}

const summary = ({ partitions, ...tabulation }: ReturnType<typeof tabulate>) => ({
  ...tabulation,
  partitions: partitions.map(({ table, values, rows }) => [table.name, values, rows.count]),
})

test('in whatever pieces records come, they come to the same', async () => {
  const all = await records()
  const whole = summary(tabulate(all, flow, 0))
  expect(whole.counts).toEqual({ records: 900, written: 854, skipped: 23, rejected: 23, rows: 854 })
  for (const size of [1, 7, 400]) {
    const tabulator = new Tabulator(flow, 0)
    for (let i = 0; i < all.length; i += size) tabulator.add(all.slice(i, i + size))
    expect(summary(tabulator.tabulation)).toEqual(whole)
  }
})

test('rows that were spilled count on', async () => {
  const all = await records()
  const tabulator = new Tabulator(flow, 0)
  for (let i = 0; i < all.length; i += 90) {
    tabulator.add(all.slice(i, i + 90))
    for (const { rows } of tabulator.tabulation.partitions) rows.spill()
  }
  expect(summary(tabulator.tabulation)).toEqual(summary(tabulate(all, flow, 0)))
})

test('each piece has to add up by itself', async () => {
  const all = await records()
  // A record that is said to be skipped and was written too.
  const wrong: Flow = {
    ...flow,
    recordPath: (record) => {
      const outcome = flow.recordPath(record)
      return record.offset === 1000 && outcome.kind === 'written' ? { ...outcome, rows: [] } : outcome
    },
  }
  const tabulator = new Tabulator(wrong, 0)
  tabulator.add(all.slice(0, 500))
  expect(() => tabulator.add(all.slice(500, 510))).toThrow(/of 10 records from flights-0@1000 9 are rows/)
})
