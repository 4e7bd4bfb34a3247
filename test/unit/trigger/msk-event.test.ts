import fc from 'fast-check'
import type { KafkaRecord, PartitionRecords } from '#shared/pipeline/record.ts'
import { PAYLOAD_BYTES } from '#shared/pipeline/trigger.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import {
  envelopeBytes,
  frameBytes,
  groupBytes,
  type KafkaSource,
  mskEvent,
  recordBytes,
} from '#shared/trigger/msk-event.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { shown, SOURCE, Topic, triggerOf } from '#test/helpers/trigger-topic.ts'

const SELF_MANAGED: KafkaSource = { eventSource: 'SelfManagedKafka', bootstrapServers: 'b-1:9092,"b-2"' }

test('the event has the shape that Lambda sends', () => {
  const headers = [
    { name: 'name', value: Uint8Array.of(104, 195, 187) },
    { name: 'name', value: new Uint8Array() },
    { name: '__proto__', value: Uint8Array.of(0, 127, 128, 255) },
  ]
  const record = kafkaRecord('é', { offset: 15, timestamp: 1545084650987, key: Buffer.from('k'), headers })
  const partitions = [{ topic: 'flights', partition: 0, records: [record] }]
  expect(JSON.parse(JSON.stringify(mskEvent({ partitions }, SOURCE)))).toEqual({
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
    bootstrapServers: 'boot-1.demo.kafka.us-east-1.amazonaws.com:9098',
    records: {
      'flights-0': [
        {
          topic: 'flights',
          partition: 0,
          offset: 15,
          timestamp: 1545084650987,
          timestampType: 'CREATE_TIME',
          key: 'aw==',
          value: 'w6k=',
          headers: [{ name: [104, -61, -69] }, { name: [] }, { ['__proto__']: [0, 127, -128, -1] }],
        },
      ],
    },
  })
})

test('a null key or value is absent, an empty one is not; self-managed Kafka has no ARN', () => {
  const records = [kafkaRecord(null), kafkaRecord('', { offset: 1, key: new Uint8Array() })]
  const event = mskEvent({ partitions: [{ topic: 'flights', partition: 0, records }] }, SELF_MANAGED)
  const sent = JSON.parse(JSON.stringify(event)) as { records: Record<string, object[]> }
  expect(Object.keys(sent)).toEqual(['eventSource', 'bootstrapServers', 'records'])
  expect(sent.records['flights-0']?.map((record) => ['key' in record, 'value' in record])).toEqual([
    [false, false],
    [true, true],
  ])
})

const bytes = fc.uint8Array({ maxLength: 40 })
const someHeader = fc.record({ name: fc.oneof(fc.string(), fc.string({ unit: 'binary' })), value: bytes })
const someRecord = fc.record({
  timestamp: fc.oneof(fc.maxSafeNat(), fc.integer()),
  timestampType: fc.constantFrom('CREATE_TIME' as const, 'LOG_APPEND_TIME' as const),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(someHeader, { maxLength: 3 }),
})

/** Partitions of a topic, each with records at offsets in order. */
const somePartitions = fc
  .record({
    topic: fc.constantFrom('flights', '_.-9'),
    lists: fc.uniqueArray(
      fc.tuple(fc.nat(2 ** 31 - 1), fc.maxSafeNat(), fc.array(someRecord, { minLength: 1, maxLength: 4 })),
      { selector: ([partition]) => partition, maxLength: 4 },
    ),
  })
  .map(({ topic, lists }) =>
    lists.map(([partition, first, list]): PartitionRecords => {
      const from = Math.min(first, Number.MAX_SAFE_INTEGER - 10)
      return { topic, partition, records: list.map((record, i) => ({ ...record, topic, partition, offset: from + i })) }
    }),
  )

test('its size is known part by part, to the byte', () => {
  fc.assert(
    fc.property(somePartitions, fc.constantFrom(SOURCE, SELF_MANAGED), (partitions, source) => {
      const groups = partitions.map(({ topic, partition, records }) => {
        const sizes = records.map((record) => recordBytes(record, frameBytes(topic)))
        return groupBytes(topic, partition) + sizes.reduce((sum, size) => sum + size + 1, -1)
      })
      const size = groups.reduce((sum, group) => sum + group + 1, envelopeBytes(source) - (groups.length > 0 ? 1 : 0))
      expect(size).toBe(Buffer.byteLength(JSON.stringify(mskEvent({ partitions }, source))))
    }),
    { numRuns: 500 },
  )
})

test('the function gets the records back as they were', () => {
  fc.assert(
    fc.property(
      somePartitions.filter((partitions) => partitions.length > 0),
      (partitions) => {
        const sent: unknown = JSON.parse(JSON.stringify(mskEvent({ partitions }, SOURCE)))
        const plain = (list: readonly PartitionRecords[]): unknown => JSON.parse(JSON.stringify(list, asNumbers))
        expect(plain(parseMskEvent(sent).partitions)).toEqual(plain(partitions))
      },
    ),
  )
})

function asNumbers(_key: string, value: unknown): unknown {
  const part = value as { type?: unknown; data?: unknown } | null
  if (value instanceof Uint8Array) return [...value]
  // A Buffer has become this before it is asked about.
  return part !== null && typeof part === 'object' && part.type === 'Buffer' ? part.data : value
}

describe('the payload', () => {
  /** A record whose event, alone, has exactly so many bytes. */
  function recordOf(size: number, offset = 0): KafkaRecord {
    for (let length = 0; length < 4; length++) {
      const headers = [{ name: 'h'.repeat(length), value: new Uint8Array() }]
      const rest = size - sizeOf([kafkaRecord('', { offset, headers })])
      if (rest % 4 === 0) return kafkaRecord(new Uint8Array((rest / 4) * 3), { offset, headers })
    }
    throw new Error('base64 grows by four')
  }

  const sizeOf = (records: readonly KafkaRecord[]): number =>
    Buffer.byteLength(JSON.stringify(mskEvent({ partitions: [{ topic: 'flights', partition: 0, records }] }, SOURCE)))

  function deliver(...records: readonly KafkaRecord[]) {
    const mapping = new Topic(0).mapping(triggerOf())
    mapping.offer({ partition: 0, from: 0, records })
    return { mapping, begun: mapping.due(0) }
  }

  test('may have 6 MB to the byte', () => {
    const record = recordOf(PAYLOAD_BYTES)
    expect(sizeOf([record])).toBe(6_000_000)
    expect(deliver(record).begun.map(shown)).toEqual(['0@0'])
  })

  test('a record that does not fit into it is given up, and its neighbours are delivered', () => {
    const { mapping, begun } = deliver(
      kafkaRecord('a'),
      recordOf(PAYLOAD_BYTES + 1, 1),
      kafkaRecord('b', { offset: 2 }),
    )
    expect(begun.map(shown)).toEqual(['0@0,2'])
    const [discarded, ...others] = mapping.takeDiscarded()
    expect([discarded?.condition, discarded?.invocations, others]).toEqual(['MaximumPayloadSizeExceeded', 0, []])
    expect(discarded === undefined ? '' : shown(discarded)).toBe('0@1')
  })

  test('counts what a second partition adds', () => {
    const first = recordOf(3_000_000)
    for (const [size, delivered] of [
      [PAYLOAD_BYTES, '0@0 1@0'],
      [PAYLOAD_BYTES + 1, '0@0'],
    ] as const) {
      // Alone it has an envelope of its own, beside the first one a comma; the groups are equally long.
      const second = { ...recordOf(size - sizeOf([first]) - 1 + envelopeBytes(SOURCE)), partition: 1 }
      const partitions = [first, second].map((record, partition) => ({
        topic: 'flights',
        partition,
        records: [record],
      }))
      expect(Buffer.byteLength(JSON.stringify(mskEvent({ partitions }, SOURCE)))).toBe(size)
      const mapping = new Topic(0, 0).mapping(triggerOf())
      mapping.offer({ partition: 0, from: 0, records: [first] })
      mapping.offer({ partition: 1, from: 0, records: [second] })
      expect(mapping.due(0).map(shown)).toEqual([delivered])
    }
  })

  test('ends a batch, also within its window', () => {
    const topic = new Topic(0, 0)
    const mapping = topic.mapping(triggerOf({ batchingWindowSeconds: 300 }))
    topic.partitions[0]?.push(recordOf(3_000_000))
    topic.partitions[1]?.push({ ...recordOf(2_999_000), partition: 1 })
    expect(topic.due(mapping, 0)).toEqual([])
    topic.append(1, 3, { value: new Uint8Array(600) })
    const [begun] = topic.due(mapping, 0)
    expect(begun === undefined ? '' : shown(begun)).toBe('0@0 1@0…1')
  })

  test('is full to the last byte: a batch of two records that just fit, and one that just does not', () => {
    const first = recordOf(3_000_000)
    const rest = PAYLOAD_BYTES - sizeOf([first]) - 1
    const fits = recordOf(envelopeBytes(SOURCE) + groupBytes('flights', 0) + rest, 1)
    expect(sizeOf([first, fits])).toBe(PAYLOAD_BYTES)
    expect(deliver(first, fits).begun.map(shown)).toEqual(['0@0…1'])
    const tooLarge = recordOf(envelopeBytes(SOURCE) + groupBytes('flights', 0) + rest + 1, 1)
    expect(deliver(first, tooLarge).begun.map(shown)).toEqual(['0@0'])
  })
})
