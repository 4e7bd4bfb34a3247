import * as z from 'zod'
import { ParquetRows } from '#shared/formats/parquet.ts'
import { AUDIT_COLUMNS } from '#shared/pipeline/columns.ts'
import { deadLetterRow, deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { land, recordsOf } from '#test/helpers/landing.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'
import { sensors } from '#test/helpers/sensors.ts'

const pipeline = definePipeline({
  name: 'flights-2013',
  topic: 'flights',
  event: z.object({}),
  row: z.object({ id: z.string() }),
  transform: () => null,
  lake: { table: 'departures', layout: 'files' },
})
const table = deadLetterTable(pipeline)
const audit = { _epoch: 0, _kafka_partition: 0, _offset: 0, _index: 0, _timestamp: 0, _timestamp_type: 'CREATE_TIME' }

test('the table is named after the rows, and lies by the day of the Kafka timestamp', () => {
  expect(table.name).toBe('departures_dead_letters')
  expect(table.partitionSpec).toMatchObject([{ column: '_timestamp', transform: 'day', name: '_timestamp_day' }])
  expect(table.columns.slice(-AUDIT_COLUMNS.length)).toMatchObject(AUDIT_COLUMNS)
})

test('a dead letter says whose it is and why, and holds the very bytes', async () => {
  const value = Uint8Array.of(0, 0xff, 0xfe, 0x7b)
  const headers = [
    { name: 'trace', value: Uint8Array.of(0xc3) },
    { name: 'trace', value: new Uint8Array() },
  ]
  const record = kafkaRecord(value, { key: Uint8Array.of(1, 2), headers })
  const rejection = { code: 'UTF8_INVALID', field: null, message: 'the value is not valid UTF-8' } as const
  const rows = new ParquetRows(table.columns)
  rows.append({ ...deadLetterRow(record, rejection, pipeline), ...audit })
  const [row] = await readParquet(rows.encode({}).body)
  expect(row).toMatchObject({
    pipeline: 'flights-2013',
    pipeline_version: pipeline.version,
    topic: 'flights',
    stage: 'decode',
    code: 'UTF8_INVALID',
    field: null,
    message: 'the value is not valid UTF-8',
    key: Uint8Array.of(1, 2),
    value,
    headers,
  })
})

test('no key, no bytes and no headers are told apart from an empty key and value', async () => {
  const rejection = { code: 'VALUE_MISSING', field: 'a.b', message: 'm' } as const
  const rows = new ParquetRows(table.columns)
  rows.append({ ...deadLetterRow(kafkaRecord(null), rejection, pipeline), ...audit })
  rows.append({ ...deadLetterRow(kafkaRecord('', { key: new Uint8Array() }), rejection, pipeline), ...audit })
  const [missing, empty] = await readParquet(rows.encode({}).body)
  expect(missing).toMatchObject({ key: null, value: null, headers: [], field: 'a.b' })
  expect(empty).toMatchObject({ key: new Uint8Array(), value: new Uint8Array(), headers: [] })
})

test.each([
  ['JSON_INVALID', 'decode'],
  ['EVENT_INVALID', 'contract'],
  ['ROW_INVALID', 'transform'],
  ['PARTITION_INVALID', 'partition'],
] as const)('%s is shown with its stage', (code, stage) => {
  expect(deadLetterRow(kafkaRecord('x'), { code, field: null, message: 'm' }, pipeline)).toMatchObject({ code, stage })
})

test('a dead letter is stored whatever the record is like: a name that is no text, a time that no calendar has', async () => {
  const odd = { topic: 'sensors', headers: [{ name: '\ud83d', value: Uint8Array.of(1) }] }
  for (const timestamp of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1]) {
    const { reports, deadLetters } = await land(sensors, recordsOf(['{'], { ...odd, timestamp }))
    expect(reports).toMatchObject([{ rejected: 1, error: null }])
    expect(deadLetters).toMatchObject([{ headers: [{ name: '\ufffd', value: Uint8Array.of(1) }] }])
  }
})
