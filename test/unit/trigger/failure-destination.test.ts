import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { type Discarded, failureObject, parseFailureRecord } from '#shared/trigger/failure-destination.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { SOURCE } from '#test/helpers/trigger-topic.ts'

const AT = Date.UTC(2026, 0, 31, 23, 59, 7, 21)
const context = {
  source: SOURCE,
  functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:inlet-dev-flights',
  mappingId: '14e0db71-5d35-4eb5-b481-8945cf9d10c2',
  requestId: '316aa6d0-8154-4eb5-9af7-85d5f4a6bc81',
  objectId: '0b9c4a1e-9f0e-4d35-8a48-d2e9d7d0f7aa',
}
const discarded: Discarded = {
  condition: 'RetryAttemptsExhausted',
  partitions: [
    {
      topic: 'flights',
      partition: 3,
      records: [3, 4, 9].map((offset) => kafkaRecord(`a${offset}`, { offset, partition: 3 })),
    },
    { topic: 'flights', partition: 1, records: [kafkaRecord(null, { offset: 7, partition: 1, timestamp: -1 })] },
  ],
  invocations: 3,
  at: AT,
}

test('the object says what was given up, and why, and holds the event as text', () => {
  const { key, body } = failureObject(discarded, context)
  expect(key).toBe(
    'aws/lambda/14e0db71-5d35-4eb5-b481-8945cf9d10c2/flights-3/2026/01/31/2026-01-31T23.59.07-0b9c4a1e-9f0e-4d35-8a48-d2e9d7d0f7aa',
  )
  const { payload, ...record } = JSON.parse(body) as { payload: string }
  expect(record).toEqual({
    requestContext: {
      requestId: context.requestId,
      functionArn: context.functionArn,
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: '2026-01-31T23:59:07.021Z',
    KafkaBatchInfo: {
      batchSize: 4,
      eventSourceArn: SOURCE.eventSource === 'aws:kafka' ? SOURCE.arn : null,
      bootstrapServers: SOURCE.bootstrapServers,
      payloadSize: Buffer.byteLength(payload),
      recordsInfo: {
        'flights-3': {
          firstRecordOffset: '3',
          lastRecordOffset: '9',
          firstRecordTimestamp: '2013-01-01T10:00:00.000Z',
          lastRecordTimestamp: '2013-01-01T10:00:00.000Z',
        },
        'flights-1': {
          firstRecordOffset: '7',
          lastRecordOffset: '7',
          firstRecordTimestamp: '1969-12-31T23:59:59.999Z',
          lastRecordTimestamp: '1969-12-31T23:59:59.999Z',
        },
      },
    },
  })
})

test('what was never delivered has no response', () => {
  const { body } = failureObject({ ...discarded, condition: 'MaximumPayloadSizeExceeded', invocations: 0 }, context)
  expect(JSON.parse(body)).toMatchObject({ responseContext: null, requestContext: { approximateInvokeCount: 0 } })
  expect(parseFailureRecord(body)).toMatchObject({ condition: 'MaximumPayloadSizeExceeded', invocations: 0 })
})

test('self-managed Kafka has no ARN, and times beyond a Date are as near as can be', () => {
  const records = [kafkaRecord('a', { timestamp: Number.MAX_SAFE_INTEGER })]
  const self = { eventSource: 'SelfManagedKafka', bootstrapServers: 'b:9092' } as const
  const partitions = [{ topic: 'flights', partition: 0, records }]
  const { body } = failureObject({ ...discarded, partitions }, { ...context, source: self })
  const { KafkaBatchInfo: info } = JSON.parse(body) as { KafkaBatchInfo: Record<string, unknown> }
  expect('eventSourceArn' in info).toBe(false)
  expect(info['recordsInfo']).toMatchObject({ 'flights-0': { lastRecordTimestamp: '+275760-09-13T00:00:00.000Z' } })
})

test.each(['text', 'bytes'])('read back from %s, it is the event of the invocation', (form) => {
  const { body } = failureObject(discarded, context)
  const { event, ...rest } = parseFailureRecord(form === 'text' ? body : Buffer.from(body))
  expect(rest).toEqual({
    requestId: context.requestId,
    functionArn: context.functionArn,
    condition: 'RetryAttemptsExhausted',
    invocations: 3,
    timestamp: '2026-01-31T23:59:07.021Z',
  })
  const { partitions } = parseMskEvent(event)
  const offsets = partitions.map(({ partition, records }) => [partition, records.map(({ offset }) => offset)])
  expect(offsets).toEqual([
    [3, [3, 4, 9]],
    [1, [7]],
  ])
})

test('what Lambda may add, and another condition, are let through', () => {
  const { body } = failureObject(discarded, context)
  const record = JSON.parse(body) as { requestContext: object }
  const other = {
    ...record,
    requestContext: { ...record.requestContext, condition: 'RetriesExhausted', more: 1 },
    x: 1,
  }
  expect(parseFailureRecord(JSON.stringify(other))).toMatchObject({ condition: 'RetriesExhausted' })
})

test.each<[string, (record: Record<string, unknown>) => unknown, string]>([
  ['no object', (record) => [record], 'the record: '],
  ['an async destination', (record) => ({ ...record, payload: undefined }), 'payload: expected the event as text'],
  ['an object as the payload', (record) => ({ ...record, payload: {} }), 'payload: expected the event as text'],
  ['a payload that is no JSON', (record) => ({ ...record, payload: '{"records' }), 'payload is not JSON'],
  [
    'a payload that is no event',
    (record) => ({ ...record, payload: '{"eventSource":"aws:kafka"}' }),
    'payload.records: ',
  ],
  ['a stream', (record) => ({ ...record, KafkaBatchInfo: undefined }), 'KafkaBatchInfo: '],
  ['no function', (record) => ({ ...record, requestContext: { requestId: '1' } }), 'requestContext.functionArn: '],
  ['another version', (record) => ({ ...record, version: '2.0' }), 'version: '],
  ['no time', (record) => ({ ...record, timestamp: 'yesterday' }), 'timestamp: '],
])('%s is refused', (_, change, message) => {
  const { body } = failureObject(discarded, context)
  const changed = JSON.stringify(change(JSON.parse(body) as Record<string, unknown>))
  expect(() => parseFailureRecord(changed)).toThrow(
    expect.objectContaining({
      code: 'EVENT_MALFORMED',
      message: expect.stringContaining(`not a failure record: ${message}`),
    }),
  )
})

test('bytes that are no JSON, or no UTF-8, are refused', () => {
  for (const body of ['', '{', Uint8Array.of(0x22, 0xff, 0x22)])
    expect(() => parseFailureRecord(body)).toThrow('not a failure record: the record is not JSON')
})
