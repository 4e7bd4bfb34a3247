import * as z from 'zod'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { tabulate } from '#shared/pipeline/tabulate.ts'

const NOON = Date.UTC(2026, 0, 5, 12)

function recordOf(value: unknown, offset: number): KafkaRecord {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  const time = { timestamp: 0, timestampType: 'CREATE_TIME' as const }
  return { topic: 't', partition: 0, offset, ...time, key: null, value: bytes, headers: [] }
}

const watermarkOf = (times: readonly (string | null)[], form: z.ZodType<string | null>): number | null => {
  const at = form as unknown as z.ZodNullable<z.ZodISODateTime>
  const pipeline = definePipeline({
    name: 'times',
    topic: 't',
    event: z.object({ at: z.string().nullable() }),
    row: z.object({ at }),
    transform: ({ value }) => value,
    lake: { table: 'times', layout: 'files', partitionBy: { at: 'day' } },
  })
  const records = times.map((time, i) => recordOf({ at: time }, i))
  return tabulate(records, compileFlow(pipeline), 0).watermark
}

describe('the watermark is the greatest event time', () => {
  const instant = z.iso.datetime({ offset: true }).meta({ column: 'timestamp' }).nullable()
  const local = z.iso.datetime({ local: true }).meta({ column: 'local_timestamp' }).nullable()
  const date = z.iso.date().meta({ column: 'date' }).nullable()

  test.each([
    ['of instants, whatever their offset', ['2026-01-05T11:00:00Z', '2026-01-05T14:00:00+02:00'], instant, NOON],
    ['of local times, as if they were UTC', ['2026-01-05T12:00:00', '2026-01-05T11:00:00'], local, NOON],
    ['of dates', ['2026-01-04', '2026-01-05'], date, Date.UTC(2026, 0, 5)],
    ['of those that there are', [null, '2026-01-05T12:00:00Z', null], instant, NOON],
    ['null without any', [null, null], instant, null],
    ['before 1970 too', ['1969-12-31T23:59:59Z'], instant, -1000],
  ])('%s', (_, times, form, expected) => {
    expect(watermarkOf(times, form)).toBe(expected)
  })
})
