/** MSK events that other projects test themselves with: what they hold is what they say, or it is said why they are refused. */
import { readdirSync, readFileSync } from 'node:fs'
import * as z from 'zod'
import { InletError } from '#shared/pipeline/errors.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { positionOf } from '#shared/pipeline/record.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { land } from '#test/helpers/landing.ts'

const FOLDER = new URL('../fixtures/msk-events/', import.meta.url)

const eventIn = (file: string): unknown => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
const recordsIn = (file: string) => parseMskEvent(eventIn(file)).partitions.flatMap(({ records }) => records)

/** Position, time, key, and what the value is or, where it is binary, what stands in it. */
type Expected = readonly [position: string, timestamp: number, key: string | null, text: string]

interface Sample {
  readonly cluster: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly records: readonly Expected[]
}

const HEADERS = [['headerKey', 'headerValue']] as const
const SALES = { cluster: 'SalesCluster.abcd1234-abcd-cafe-abab-9876543210ab-4', headers: HEADERS }
const ESM = { cluster: 'powertools-kafka-esm.f138df86-9253-4d2a-b682-19e132396d4f-s3', headers: [] }
const PRODUCTS: readonly Expected[] = [
  ['mytopic-0@15', 1_545_084_650_987, '42', 'Laptop'],
  ['mytopic-0@16', 1_545_084_650_988, '42', 'Smartphone'],
  ['mytopic-0@17', 1_545_084_650_989, null, 'Headphones'],
]
const PRODUCT = '{\n  "id": 12345,\n  "name": "product5",\n  "price": 45\n}'
const PAIR: Sample = { ...SALES, records: [['mytopic-0@15', 1_545_084_650_987, 'recordKey', '{"key":"value"}']] }

const ACCEPTED: Readonly<Record<string, Sample>> = {
  'java-libs/kafka_event.json': {
    cluster: 'vpc-3432434.4834-3547-3455-9872-7929',
    headers: HEADERS,
    // In a group called "mytopic-01": the record says which partition it is of.
    records: [['mytopic-0@15', 1_596_480_920_837, null, 'Hello from Kafka !!']],
  },
  'powertools-java/kafka-avro-event.json': { ...SALES, records: PRODUCTS },
  'powertools-java/kafka-json-event.json': {
    ...SALES,
    // Three records at one position, which Kafka never has.
    records: [
      ['mytopic-0@15', 1_545_084_650_987, '42', '{"price":999.99,"name":"Laptop","id":1001}'],
      ['mytopic-0@15', 1_545_084_650_987, '42', '{"price":599.99,"name":"Smartphone","id":1002}'],
      ['mytopic-0@15', 1_545_084_650_987, null, '{"price":149.99,"name":"Headphones","id":1003}'],
    ],
  },
  'powertools-py/kafkaEventMsk.json': PAIR,
  'powertools-py/kafkaEventSelfManaged.json': { ...PAIR, cluster: 'self-managed' },
  'powertools-ts/avro.json': { ...SALES, records: PRODUCTS },
  'powertools-ts/default.json': {
    ...SALES,
    records: [
      ['mytopic-0@15', 1_545_084_650_987, 'recordKey', PRODUCT],
      ['mytopic-0@16', 1_545_084_650_988, null, PRODUCT],
      ['mytopic-0@17', 1_545_084_650_989, null, PRODUCT],
    ],
  },
  'powertools-ts/doc-kafkaEventAvro.json': {
    ...ESM,
    records: [['python-with-avro-doc-3@0', 1_750_547_105_187, '123', 'Powertools\n']],
  },
  'powertools-ts/doc-kafkaEventJson.json': {
    ...ESM,
    records: [['python-with-avro-doc-5@0', 1_750_547_462_087, '123', '{"name": "Powertools", "age": 5}']],
  },
  'powertools-ts/doc-kafkaEventProtobuf.json': {
    ...ESM,
    records: [['python-with-avro-doc-5@1', 1_750_624_373_324, '123', '\n\npowertools\u0010\u0005']],
  },
  'powertools-ts/parser-base.json': PAIR,
  'powertools-ts/protobuf-complex.confluent.json': {
    cluster: 'abcdefg.717bd2d1-e34b-4a86-9ae8-f7a16158c0f6-25',
    headers: [],
    records: [
      'a8e40971-1552-420d-a7c9-b8982325702d',
      '4dcfc61b-3993-49c3-a04f-8a6c7aaf7881',
      '2a861628-0800-4b76-bd3f-6ecba7cd286c',
      '71320c73-ec57-446e-bd5b-9252d6943182',
    ].map((key, i): Expected => [`confluent_proto-0@${4_209_910 + i}`, 1_750_358_101_849 + 1000 * i, key, key]),
  },
  'powertools-ts/protobuf.json': { ...SALES, records: PRODUCTS },
}

const REFUSED: Readonly<Record<string, string>> = {
  // Base64 is how that project's serializer writes the bytes of a header. Lambda sends an array of numbers, and text in its
  // place might as well be the text itself: which of the two cannot be known.
  'java-libs/kafka_event_roundtrip.json':
    'not an MSK event: records["mytopic-01"][0].headers[0].headerKey: expected an array of bytes',
}

test('every event is accepted or refused', () => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
  expect(files.sort()).toEqual([...Object.keys(ACCEPTED), ...Object.keys(REFUSED)].sort())
})

describe.each(Object.entries(ACCEPTED))('%s', (file, { cluster, headers, records }) => {
  test('is the records that it shows', () => {
    const { source } = parseMskEvent(eventIn(file))
    expect(source).toEqual({ cluster, topic: records[0]?.[0].replace(/-\d+@\d+$/, '') })
    const found = recordsIn(file)
    expect(found.map((record) => [positionOf(record), record.timestamp, record.timestampType])).toEqual(
      records.map(([position, timestamp]) => [position, timestamp, 'CREATE_TIME']),
    )
    for (const [i, record] of found.entries()) {
      const [, , key, text = ''] = records[i] ?? []
      expect(record.key === null ? null : Buffer.from(record.key).toString('utf8')).toBe(key)
      expect(Buffer.from(record.value ?? []).toString('latin1')).toContain(text)
      expect(record.headers.map(({ name, value }) => [name, Buffer.from(value).toString('utf8')])).toEqual(headers)
    }
  })

  test('keeps every byte of the values', () => {
    const raw = (eventIn(file) as { records: Record<string, { value: string }[]> }).records
    const sent = Object.values(raw).flatMap((list) => list.map(({ value }) => value))
    expect(recordsIn(file).map(({ value }) => Buffer.from(value ?? []).toString('base64'))).toEqual(sent)
  })
})

test.each(Object.entries(REFUSED))('%s is refused', (file, reason) => {
  expect(() => parseMskEvent(eventIn(file))).toThrow(InletError)
  expect(() => parseMskEvent(eventIn(file))).toThrow(reason)
})

describe('on their way into the lake', () => {
  const Product = z.object({ id: z.int(), name: z.string(), price: z.number() })
  const products = definePipeline({
    name: 'products',
    topic: 'mytopic',
    event: Product,
    row: Product,
    transform: ({ value }) => value,
    lake: { table: 'products', layout: 'files', keep: ['key', 'headers'] },
  })

  test('JSON is rows', async () => {
    const { rows, deadLetters, reports } = await land(products, recordsIn('powertools-ts/default.json'))
    expect([deadLetters, reports[0]?.error]).toEqual([[], null])
    const row = { id: 12_345n, name: 'product5', price: 45 }
    const headers = [{ name: 'headerKey', value: Uint8Array.from(Buffer.from('headerValue')) }]
    expect(rows).toMatchObject([
      { ...row, _offset: 15n, _key: Uint8Array.from(Buffer.from('recordKey')), _headers: headers },
      { ...row, _offset: 16n, _key: null },
      { ...row, _offset: 17n, _key: null },
    ])
  })

  test.each(['powertools-ts/avro.json', 'powertools-ts/protobuf.json'])(
    'what is no JSON is a dead letter with its bytes: %s',
    async (file) => {
      const records = recordsIn(file)
      const { rows, deadLetters } = await land(products, records)
      expect(rows).toEqual([])
      expect(deadLetters.map(({ value }) => value)).toEqual(records.map(({ value }) => Uint8Array.from(value ?? [])))
      for (const { code } of deadLetters) expect(code).toMatch(/^(?:UTF8|JSON)_INVALID$/)
    },
  )

  test('records that share a position are not taken for one another: nothing of the slice is committed', async () => {
    const { rows, deadLetters, reports } = await land(products, recordsIn('powertools-java/kafka-json-event.json'))
    expect(reports[0]?.error).toMatchObject({ name: 'InletError', canRetry: false })
    expect([rows, deadLetters]).toEqual([[], []])
  })
})
