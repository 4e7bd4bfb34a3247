/** Parts of the Kafka record as columns, read back from the lake. */
import * as z from 'zod'
import type { RecordPart } from '#shared/pipeline/columns.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { land } from '#test/helpers/landing.ts'

interface Lake {
  readonly keep?: readonly RecordPart[]
  readonly partitionBy?: { readonly id: 'identity' }
}

function pipelineOf(lake: Lake, tombstones: 'skip' | 'row' = 'skip'): Pipeline {
  return definePipeline({
    name: 'flights',
    topic: 'flights',
    event: z.object({ id: z.string() }),
    row: z.object({ id: z.string().nullable() }),
    transform: ({ value }) => value,
    lake: { table: 'flights', layout: 'files', ...lake },
    tombstones,
  })
}

const HEADERS = [
  { name: 'trace', value: Uint8Array.of(0, 127, 128, 255) },
  { name: 'trace', value: new Uint8Array() },
  { name: 'Zoë', value: Buffer.from('é') },
  { name: '', value: Uint8Array.of(1) },
]
const records: KafkaRecord[] = [
  kafkaRecord('{"id":"a"}', { offset: 0, key: Buffer.from([0, 255]), headers: HEADERS }),
  kafkaRecord('{"id":"b"}', { offset: 1, key: null, headers: [], timestampType: 'LOG_APPEND_TIME' }),
  kafkaRecord('{"id":"c"}', { offset: 2, key: new Uint8Array(), timestamp: -1 }),
]

test('a table keeps the key, the headers and the type of the timestamp when it is told to', async () => {
  const { rows } = await land(pipelineOf({ keep: ['key', 'headers', 'timestampType'] }), records)
  const headers = HEADERS.map(({ name, value }) => ({ name, value: Uint8Array.from(value) }))
  expect(rows).toMatchObject([
    { id: 'a', _key: Uint8Array.of(0, 255), _headers: headers, _timestamp_type: 'CREATE_TIME' },
    { id: 'b', _key: null, _headers: [], _timestamp_type: 'LOG_APPEND_TIME' },
    { id: 'c', _key: new Uint8Array(), _headers: [], _timestamp_type: 'CREATE_TIME' },
  ])
})

test('and else only where a row comes from', async () => {
  const { rows } = await land(pipelineOf({}), records)
  expect(Object.keys(rows[0] ?? {})).toEqual(['id', '_epoch', '_kafka_partition', '_offset', '_index', '_timestamp'])
  expect(rows.map((row) => [row['_offset'], row['_timestamp']])).toEqual([
    [0n, new Date(Date.UTC(2013, 0, 1, 10))],
    [1n, new Date(Date.UTC(2013, 0, 1, 10))],
    [2n, new Date(-1)],
  ])
})

test.each([['payload'], ['_key'], [7]])('what a record has not cannot be kept: %p', (part) => {
  expect(() => pipelineOf({ keep: [part] as never })).toThrow('lake.keep: expected key, headers, timestampType, found')
})

test('a tombstone as a row is its key, in the partition of none', async () => {
  const pipeline = pipelineOf({ keep: ['key'], partitionBy: { id: 'identity' } }, 'row')
  const { rows, reports, store } = await land(pipeline, [
    kafkaRecord(null, { offset: 0, key: Buffer.from('gone') }),
    kafkaRecord('{"id":"a"}', { offset: 1, key: Buffer.from('k') }),
    kafkaRecord('', { offset: 2, key: Buffer.from('empty') }),
  ])
  expect(reports[0]).toMatchObject({ records: 3, written: 2, skipped: 0, rejected: 1, error: null })
  const byOffset = rows.toSorted((a, b) => Number(a['_offset']) - Number(b['_offset']))
  expect(byOffset.map(({ id, _key }) => [id, Buffer.from(_key as Uint8Array).toString()])).toEqual([
    [null, 'gone'],
    ['a', 'k'],
  ])
  const folders = new Set<string | undefined>()
  for await (const { key } of store.list('tables/flights/data/')) folders.add(key.split('/')[3])
  expect(folders).toEqual(new Set(['id=__HIVE_DEFAULT_PARTITION__', 'id=a']))
})
