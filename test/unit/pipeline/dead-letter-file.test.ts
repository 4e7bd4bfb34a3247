import fc from 'fast-check'
import { ParquetRows } from '#shared/formats/parquet.ts'
import { readDeadLetters } from '#shared/pipeline/dead-letter-file.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { tabulate } from '#shared/pipeline/tabulate.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { sensors } from '#test/helpers/sensors.ts'

const flow = compileFlow(sensors)

/** The records as the dead letters of one slice, in the files that the flow makes of them. */
function filesOf(records: readonly KafkaRecord[], epoch = 0): Uint8Array[] {
  const { partitions, rejected } = tabulate(records, flow, epoch)
  expect(rejected).toEqual(records.map(({ offset }) => offset))
  return partitions.map(({ rows }) => rows.encode({}).body)
}

/** Bytes by what they hold: a reader may give a piece of a larger buffer. */
const plain = (record: KafkaRecord): unknown => ({
  ...record,
  key: hex(record.key),
  value: hex(record.value),
  headers: record.headers.map(({ name, value }) => [name, hex(value)]),
})
const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'))

test('a record comes back to the byte, whatever it is like', async () => {
  const bytes = fc.uint8Array({ maxLength: 50 })
  const name = fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => text.isWellFormed())
  const record = fc.record({
    topic: fc.constantFrom('sensors', 'a.b_c-d'),
    partition: fc.nat(),
    timestamp: fc.maxSafeInteger(),
    timestampType: fc.constantFrom('CREATE_TIME', 'LOG_APPEND_TIME'),
    key: fc.option(bytes),
    // Never JSON: each must be refused.
    value: bytes.map((some) => Uint8Array.of(0x7b, 0xff, ...some)),
    headers: fc.array(fc.record({ name, value: bytes }), { maxLength: 3 }),
  })
  const gaps = fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 20 }), gaps, async (parts, steps) => {
      let offset = 0
      const records = parts.map((part, i): KafkaRecord => {
        offset += steps[i % steps.length] ?? 1
        return { ...part, offset }
      })
      const read = (await Promise.all(filesOf(records).map(readDeadLetters))).flat()
      const back = read.map((letter) => letter.record).sort((a, b) => a.offset - b.offset)
      expect(back.map(plain)).toEqual(records.map(plain))
    }),
    { numRuns: 200 },
  )
})

test('a missing key and value are told from empty ones, and why it was refused is there', async () => {
  const strict = compileFlow({ ...sensors, tombstones: 'reject' })
  const part = { topic: 'sensors', key: null }
  const records = [
    kafkaRecord(null, { ...part, offset: 0 }),
    kafkaRecord('', { ...part, offset: 1, key: new Uint8Array() }),
    kafkaRecord('{"sensor":"s1","value":1}', { ...part, offset: 2 }),
  ]
  const [file] = tabulate(records, strict, 0).partitions
  const letters = await readDeadLetters(file?.rows.encode({}).body ?? new Uint8Array())
  expect(letters.map(({ record, code, field }) => [hex(record.key), hex(record.value)?.length, code, field])).toEqual([
    [null, undefined, 'VALUE_MISSING', null],
    ['', 0, 'JSON_INVALID', null],
    [null, 50, 'EVENT_INVALID', 'at'],
  ])
})

describe('what is no file of dead letters is an error that says why', () => {
  test.each([
    ['a table of rows', { name: 'sensor', type: { kind: 'string' }, nullable: true }, 'column not found: topic'],
    ['another type of timestamp', null, 'column _timestamp_type: '],
  ] as const)('%s', async (_, column, message) => {
    const columns = column === null ? flow.deadLetters.columns : [column]
    const file = new ParquetRows(columns)
    const row = { pipeline: '', pipeline_version: '', topic: '', stage: '', code: '', message: '', headers: [] }
    file.append({
      ...row,
      _timestamp_type: 'NO_TIME',
      _epoch: 0,
      _kafka_partition: 0,
      _offset: 0,
      _index: 0,
      _timestamp: 0,
    })
    await expect(readDeadLetters(file.encode({}).body)).rejects.toThrow(message)
  })
})
