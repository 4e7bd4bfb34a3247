import * as z from 'zod'
import { definePipeline } from '#shared/pipeline/pipeline.ts'

/** A small pipeline for tests: readings of sensors, by day. A value of 0 is skipped; a negative one makes two rows. */
export const sensors = definePipeline({
  name: 'sensors',
  topic: 'sensors',
  event: z.object({ sensor: z.string(), at: z.iso.datetime(), value: z.number().nullable() }),
  row: z.object({ sensor: z.string(), at: z.date(), value: z.number().nullable() }),
  transform: ({ value: { sensor, at, value } }) => {
    if (value === 0) return null
    if (value === 666) throw new TypeError('a number of the beast')
    const row = { sensor, at: new Date(at), value }
    return value !== null && value < 0 ? [row, { ...row, value: -value }] : row
  },
  lake: { table: 'sensors', layout: 'files', partitionBy: { at: 'day' } },
})

/** What Lambda would send for values of one Kafka partition, each a JSON text; null is a tombstone. */
export function sensorEvent(values: readonly (string | null)[], partition = 0, firstOffset = 0): unknown {
  const records = values.map((value, i) => ({
    topic: 'sensors',
    partition,
    offset: firstOffset + i,
    timestamp: 1_700_000_000_000 + firstOffset + i,
    timestampType: 'CREATE_TIME',
    value: value === null ? null : Buffer.from(value).toString('base64'),
    headers: [],
  }))
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
    bootstrapServers: 'boot-1.demo.kafka.us-east-1.amazonaws.com:9098',
    records: { [`sensors-${partition}`]: records },
  }
}

export const reading = (value: number | null, day = '2026-01-05'): string =>
  JSON.stringify({ sensor: 's1', at: `${day}T10:00:00Z`, value })
