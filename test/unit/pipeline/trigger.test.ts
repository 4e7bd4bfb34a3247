import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import {
  defineTrigger,
  failureBucket,
  failureTopic,
  retryLimit,
  type TriggerOptions,
} from '#shared/pipeline/trigger.ts'

/** Defines what the compiler would not let through. */
const define = (options: unknown) => defineTrigger(options as TriggerOptions)

test('without a declaration it is on demand, with large batches', () => {
  expect(defineTrigger()).toEqual({
    mode: 'on-demand',
    batchSize: 10_000,
    batchingWindowSeconds: 5,
    startingPosition: 'TRIM_HORIZON',
    filters: [],
    failureDestination: null,
    maximumRetryAttempts: null,
    maximumRecordAgeSeconds: null,
    bisectBatchOnError: false,
    partialResponses: false,
    pollers: null,
    consumerGroup: null,
    schemaRegistry: null,
  })
})

test('provisioned, it takes partial answers, and has as many pollers as Lambda gives by itself', () => {
  expect(defineTrigger({ mode: 'provisioned' })).toEqual({
    ...defineTrigger(),
    mode: 'provisioned',
    partialResponses: true,
    pollers: { minimum: 1, maximum: 200 },
  })
})

test('everything can be declared', () => {
  const startingPosition = new Date('2026-01-31T00:00:00Z')
  const options = {
    mode: 'provisioned',
    batchSize: 1,
    batchingWindowSeconds: 0,
    startingPosition,
    filters: [{ value: { kind: ['departure'] } }],
    failureDestination: 's3://failed-batches.example',
    maximumRetryAttempts: 0,
    maximumRecordAgeSeconds: 604_800,
    bisectBatchOnError: true,
    partialResponses: false,
    pollers: { minimum: 2, maximum: 2 },
    consumerGroup: 'sink-of/flights:1',
    schemaRegistry: {
      uri: 'https://schemas.example:8081/v1',
      validate: ['KEY', 'VALUE'],
      recordFormat: 'SOURCE',
      access: [{ type: 'BASIC_AUTH', secret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:registry-AbCdEf' }],
    },
  } as const
  expect(defineTrigger(options)).toEqual(options)
  expect(defineTrigger({ mode: 'on-demand', startingPosition: 'LATEST' }).startingPosition).toBe('LATEST')
  expect(defineTrigger({ mode: 'provisioned', pollers: { minimum: 5 } }).pollers).toEqual({ minimum: 5, maximum: 200 })
})

test('a registry decodes values, as JSON, unless it is said otherwise', () => {
  const uri = 'arn:aws:glue:us-east-1:123456789012:registry/events'
  expect(defineTrigger({ mode: 'provisioned', schemaRegistry: { uri } }).schemaRegistry).toEqual({
    uri,
    validate: ['VALUE'],
    recordFormat: 'JSON',
    access: [],
  })
})

test('what is given up goes into a bucket, or, with pollers, into a topic', () => {
  const bucket = defineTrigger({ failureDestination: 's3://failed' })
  expect([failureBucket(bucket), failureTopic(bucket)]).toEqual(['failed', null])
  const topic = defineTrigger({ mode: 'provisioned', failureDestination: 'kafka://flights.failed' })
  expect([failureBucket(topic), failureTopic(topic)]).toEqual([null, 'flights.failed'])
  expect([failureBucket(defineTrigger()), failureTopic(defineTrigger())]).toEqual([null, null])
  expect(retryLimit(topic)).toBe(10)
})

test('retries end at the declared number; at 10 with a failure destination; otherwise never', () => {
  const mode = 'provisioned'
  const failureDestination = 's3://failed'
  expect(retryLimit(defineTrigger())).toBe(Number.POSITIVE_INFINITY)
  expect(retryLimit(defineTrigger({ failureDestination }))).toBe(10)
  expect(retryLimit(defineTrigger({ mode, failureDestination, maximumRetryAttempts: 10_000 }))).toBe(10_000)
  expect(retryLimit(defineTrigger({ mode, failureDestination, maximumRetryAttempts: 0 }))).toBe(0)
})

test.each(['maximumRetryAttempts', 'maximumRecordAgeSeconds', 'bisectBatchOnError', 'partialResponses', 'pollers'])(
  'on demand there is no %s',
  (option) => {
    const message = `trigger.${option}: needs mode: 'provisioned'; on demand, Lambda retries the whole batch`
    expect(() => define({ [option]: 100 })).toThrow(message)
    expect(() => define({ mode: 'on-demand', [option]: false })).toThrow(message)
  },
)

const GLUE = 'arn:aws:glue:us-east-1:123456789012:registry/events'
const LOGIN = { type: 'BASIC_AUTH', secret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:r-AbCdEf' }
const registry = (schemaRegistry: unknown) => ({ mode: 'provisioned', schemaRegistry })

test.each<[string, unknown, string]>([
  ['no object', 5, 'trigger: expected { batchSize, … }'],
  ['null', null, 'trigger: expected'],
  ['an unknown option', { batch: 5 }, 'trigger.batch: unknown option; there are mode, batchSize'],
  ['an unknown mode', { mode: 'fast' }, 'trigger.mode: expected on-demand, provisioned, found "fast"'],
  ['a batch of none', { batchSize: 0 }, 'trigger.batchSize: expected a whole number from 1 to 10000, found 0'],
  ['a batch too large', { batchSize: 10_001 }, 'trigger.batchSize: '],
  ['a broken batch', { batchSize: 1.5 }, 'trigger.batchSize: '],
  [
    'half a second',
    { batchingWindowSeconds: 0.5 },
    'trigger.batchingWindowSeconds: expected a whole number from 0 to 300',
  ],
  ['a window too long', { batchingWindowSeconds: 301 }, 'trigger.batchingWindowSeconds: '],
  [
    'a time as text',
    { startingPosition: '2026-01-31' },
    'trigger.startingPosition: expected TRIM_HORIZON, LATEST or a Date',
  ],
  ['a time that is none', { startingPosition: new Date('x') }, 'trigger.startingPosition: the Date is no time'],
  ['one filter', { filters: { value: ['x'] } }, 'trigger.filters: expected an array of patterns'],
  ['a wrong filter', { filters: [{ value: ['x'] }, { value: [] }] }, 'trigger.filters[1].value: an empty array'],
  [
    '11 filters',
    { filters: Array.from({ length: 11 }, () => ({ value: ['x'] })) },
    'trigger.filters: there are 11; Lambda',
  ],
  [
    'a prefix of a bucket',
    { failureDestination: 's3://bucket/flights' },
    'trigger.failureDestination: expected s3:// and a',
  ],
  ['a queue', { failureDestination: 'arn:aws:sqs:us-east-1:1:q' }, 'trigger.failureDestination: '],
  ['a directory', { failureDestination: 'file:.failed' }, 'trigger.failureDestination: '],
  [
    'a topic on demand',
    { failureDestination: 'kafka://failed' },
    "failureDestination: a topic needs mode: 'provisioned'",
  ],
  ['a topic that is none', { mode: 'provisioned', failureDestination: 'kafka://.f' }, 'expected kafka:// and the name'],
  ['a group that is any', { consumerGroup: '*' }, 'trigger.consumerGroup: expected letters'],
  ['a group too long', { consumerGroup: 'g'.repeat(191) }, 'trigger.consumerGroup: '],
  ['a registry on demand', { schemaRegistry: { uri: GLUE } }, "trigger.schemaRegistry: needs mode: 'provisioned'"],
  ['a registry as text', registry(GLUE), 'trigger.schemaRegistry: expected { uri'],
  ['a registry in clear', registry({ uri: 'http://registry' }), 'trigger.schemaRegistry.uri: expected the ARN'],
  ['a registry of AWS elsewhere', registry({ uri: 'arn:aws:sqs:us-east-1:1:r' }), 'trigger.schemaRegistry.uri: '],
  ['an unknown option of it', registry({ uri: GLUE, name: 'x' }), 'trigger.schemaRegistry.name: unknown option'],
  ['Avro', registry({ uri: GLUE, recordFormat: 'AVRO' }), 'recordFormat: expected JSON, SOURCE'],
  ['nothing to validate', registry({ uri: GLUE, validate: [] }), 'validate: expected an array of 1 to 2'],
  ['a key twice', registry({ uri: GLUE, validate: ['KEY', 'KEY'] }), 'validate: expected an array of 1 to 2'],
  ['headers', registry({ uri: GLUE, validate: ['HEADER'] }), 'validate: expected KEY, VALUE'],
  ['a password', registry({ uri: 'https://r', access: [{ type: 'BASIC_AUTH', secret: 'x' }] }), 'access[0].secret: '],
  ['an unknown login', registry({ uri: 'https://r', access: [{ type: 'NONE' }] }), 'access[0].type: expected BASIC'],
  ["a login to Glue's", registry({ uri: GLUE, access: [LOGIN] }), "access: Glue's registry is asked with the role"],
  ['less than no retries', { mode: 'provisioned', maximumRetryAttempts: -1 }, 'trigger.maximumRetryAttempts: '],
  ['too many retries', { mode: 'provisioned', maximumRetryAttempts: 10_001 }, 'trigger.maximumRetryAttempts: '],
  ['an age below a minute', { mode: 'provisioned', maximumRecordAgeSeconds: 59 }, 'trigger.maximumRecordAgeSeconds: '],
  [
    'an age above a week',
    { mode: 'provisioned', maximumRecordAgeSeconds: 604_801 },
    'trigger.maximumRecordAgeSeconds: ',
  ],
  ['"yes"', { mode: 'provisioned', bisectBatchOnError: 'yes' }, 'trigger.bisectBatchOnError: expected true or false'],
  ['1', { mode: 'provisioned', partialResponses: 1 }, 'trigger.partialResponses: expected true or false'],
  ['pollers as a number', { mode: 'provisioned', pollers: 5 }, 'trigger.pollers: expected { minimum, maximum }'],
  ['an unknown limit', { mode: 'provisioned', pollers: { min: 5 } }, 'trigger.pollers.min: unknown option'],
  ['201 pollers at least', { mode: 'provisioned', pollers: { minimum: 201 } }, 'trigger.pollers.minimum: '],
  ['2,001 pollers', { mode: 'provisioned', pollers: { maximum: 2001 } }, 'trigger.pollers.maximum: '],
  [
    'fewer than at least',
    { mode: 'provisioned', pollers: { minimum: 3, maximum: 2 } },
    'trigger.pollers.maximum: expected a whole number from 3',
  ],
])('%s is refused', (_, options, message) => {
  expect(() => define(options)).toThrow(PipelineDefinitionError)
  expect(() => define(options)).toThrow(message)
})
