import { parseMskEvent } from '#shared/sources/msk-event.ts'

const arn = 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5'
const record = (fields: object = {}): object => ({
  topic: 'orders',
  partition: 0,
  offset: 15,
  timestamp: 1_596_480_920_837,
  timestampType: 'CREATE_TIME',
  value: Buffer.from('{}').toString('base64'),
  headers: [],
  ...fields,
})
const event = (records: object[], fields: object = {}): unknown => ({
  eventSource: 'aws:kafka',
  eventSourceArn: arn,
  records: { 'orders-0': records },
  ...fields,
})
const only = (fields: object) => parseMskEvent(event([record(fields)])).partitions[0]?.records[0]

describe('parseMskEvent', () => {
  test('groups records by partition and sorts them by offset', () => {
    const delivery = parseMskEvent(
      event([], {
        records: {
          'orders-1': [record({ partition: 1, offset: 7 }), record({ partition: 1, offset: 6 })],
          'orders-0': [record()],
        },
      }),
    )
    expect(delivery.partitions.map(({ partition, records }) => [partition, records.map((r) => r.offset)])).toEqual([
      [1, [6, 7]],
      [0, [15]],
    ])
  })

  test('a source is the cluster by name and uuid, and the topic', () => {
    expect(parseMskEvent(event([record()])).source).toEqual({
      cluster: 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
      topic: 'orders',
    })
  })

  test('self-managed Kafka has no ARN: its list of servers is no identity', () => {
    const self = { eventSource: 'SelfManagedKafka', eventSourceArn: undefined }
    const one = parseMskEvent(event([record()], { ...self, bootstrapServers: 'a:9092,b:9092' }))
    const two = parseMskEvent(event([record()], { ...self, bootstrapServers: 'c:9092' }))
    expect(one.source).toEqual(two.source)
  })

  test('header bytes are signed, and names repeat', () => {
    const headers = [{ trace: [104, -61, -85] }, { trace: [] }, { other: [1] }]
    expect(only({ headers })?.headers).toEqual([
      { name: 'trace', value: Uint8Array.of(104, 195, 171) },
      { name: 'trace', value: Uint8Array.of() },
      { name: 'other', value: Uint8Array.of(1) },
    ])
  })

  test.each([
    ['absent', {}, null],
    ['null', { key: null }, null],
    ['empty', { key: '' }, Buffer.alloc(0)],
    ['present', { key: 'AAH/' }, Buffer.of(0, 1, 255)],
  ])('a key that is %s', (_, fields, expected) => {
    expect(only(fields)?.key).toEqual(expected)
  })

  test('an empty value is not a tombstone', () => {
    expect(only({ value: '' })?.value).toEqual(Buffer.alloc(0))
    expect(only({ value: null })?.value).toBeNull()
  })

  test('LOG_APPEND_TIME is kept', () => {
    expect(only({ timestampType: 'LOG_APPEND_TIME' })?.timestampType).toBe('LOG_APPEND_TIME')
  })

  test.each([
    ['no object', 'hello', /not an MSK event/],
    ['another source', { ...(event([record()]) as object), eventSource: 'aws:kinesis' }, /eventSource/],
    ['no ARN', event([record()], { eventSourceArn: undefined }), /eventSourceArn: expected the ARN of an MSK cluster/],
    ['no records', event([]), /there is none/],
    ['two topics', event([record(), record({ topic: 'users' })]), /"orders" and "users"/],
    ['an offset that JSON rounds', event([record({ offset: 2 ** 53 })]), /records\["orders-0"\]\[0\]\.offset/],
    ['a negative partition', event([record({ partition: -1 })]), /partition/],
    [
      'a partition beyond 32 bits',
      event([record({ partition: 2 ** 31 })]),
      /partition: expected an integer from 0 to 2147483647/,
    ],
    ['a value that is not base64', event([record({ value: 'a*b!' })]), /\.value: not base64/],
    ['a header that is text', event([record({ headers: [{ a: 'x' }] })]), /headers\[0\]\.a/],
    ['a header byte out of range', event([record({ headers: [{ a: [300] }] })]), /headers\[0\]\.a/],
  ])('refuses %s', (_, value, message) => {
    expect(() => parseMskEvent(value)).toThrow(message)
    expect(() => parseMskEvent(value)).toThrow(expect.objectContaining({ code: 'EVENT_MALFORMED' }))
  })
})
