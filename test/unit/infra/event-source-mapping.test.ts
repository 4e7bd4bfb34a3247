import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { defineTrigger, type TriggerOptions } from '#shared/pipeline/trigger.ts'
import { sensors } from '#test/helpers/sensors.ts'
import { deployed, stage } from '#test/helpers/stage.ts'
import { eventSourceMapping, requireRoomForPollers } from '../../../infra/event-source-mapping.ts'

const reader = (trigger: TriggerOptions, of: Partial<Pipeline> = {}): Pipeline => {
  return { ...sensors, trigger: defineTrigger(trigger), ...of }
}
const partitions = (count: number) => ({ topicSettings: { ...sensors.topicSettings, partitions: count } })
const mapping = (trigger: TriggerOptions, of: Partial<Pipeline> = {}) =>
  eventSourceMapping(stage(), reader(trigger, of)).Properties

test('on demand Lambda is told what it takes, and nothing that it does not', () => {
  expect(mapping({ batchSize: 500, batchingWindowSeconds: 0 })).toEqual({
    FunctionName: { Ref: 'SensorsLambdaFunction' },
    EventSourceArn: { 'Fn::GetAtt': ['KafkaCluster', 'Arn'] },
    Topics: ['sensors'],
    AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'inlet-dev-sensors' },
    BatchSize: 500,
    MaximumBatchingWindowInSeconds: 0,
    StartingPosition: 'TRIM_HORIZON',
  })
})

test('provisioned pollers take all of it', () => {
  const properties = mapping({
    mode: 'provisioned',
    maximumRetryAttempts: 0,
    maximumRecordAgeSeconds: 600,
    bisectBatchOnError: true,
    pollers: { minimum: 2, maximum: 9 },
    failureDestination: 's3://given-up',
    startingPosition: new Date('2026-01-05T10:00:00.999Z'),
    filters: [{ value: { kind: ['a'] } }],
  })
  expect(properties).toMatchObject({
    ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 9, PollerGroupName: 'inlet-dev' },
    MaximumRetryAttempts: 0,
    MaximumRecordAgeInSeconds: 600,
    BisectBatchOnFunctionError: true,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    MetricsConfig: { Metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'] },
    LoggingConfig: { SystemLogLevel: 'WARN' },
    DestinationConfig: { OnFailure: { Destination: { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::given-up' } } },
    StartingPosition: 'AT_TIMESTAMP',
    StartingPositionTimestamp: Date.parse('2026-01-05T10:00:00Z') / 1000,
    FilterCriteria: { Filters: [{ Pattern: '{"value":{"kind":["a"]}}' }] },
  })
})

test('a topic takes what is given up, a registry decodes, and a group is as declared', () => {
  const secret = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:registry-AbCdEf'
  const options: TriggerOptions = {
    mode: 'provisioned',
    failureDestination: 'kafka://sensors-failed',
    consumerGroup: 'sink',
    schemaRegistry: { uri: 'https://schemas.example', access: [{ type: 'BASIC_AUTH', secret }] },
  }
  expect(mapping(options)).toMatchObject({
    DestinationConfig: { OnFailure: { Destination: 'kafka://sensors-failed' } },
    AmazonManagedKafkaEventSourceConfig: {
      ConsumerGroupId: 'sink',
      SchemaRegistryConfig: {
        SchemaRegistryURI: 'https://schemas.example',
        EventRecordFormat: 'JSON',
        SchemaValidationConfigs: [{ Attribute: 'VALUE' }],
        AccessConfigs: [{ Type: 'BASIC_AUTH', URI: secret }],
      },
    },
  })
  expect(mapping(options, { generation: 2 })).toMatchObject({
    AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'sink-g2' },
  })
})

test('what is not limited, and what is not answered, is said to provisioned pollers, too', () => {
  expect(mapping({ mode: 'provisioned', partialResponses: false })).toMatchObject({
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    BisectBatchOnFunctionError: false,
    FunctionResponseTypes: [],
  })
})

test('no more pollers than partitions, where these are declared', () => {
  const config = (count: number, pollers = {}) =>
    mapping({ mode: 'provisioned', pollers }, partitions(count))['ProvisionedPollerConfig']
  expect(config(8)).toMatchObject({ MinimumPollers: 1, MaximumPollers: 8 })
  expect(config(300)).toMatchObject({ MaximumPollers: 200 })
  expect(config(8, { maximum: 4 })).toMatchObject({ MaximumPollers: 4 })
})

test('triggers that share pollers may not have more than two thousand', () => {
  const many = (count: number, of = {}) =>
    Array.from({ length: count }, (_, n) => reader({ mode: 'provisioned' }, { name: `p${n}`, ...of }))
  expect(() => requireRoomForPollers(many(10))).not.toThrow()
  expect(() => requireRoomForPollers(many(11))).toThrow('ask for 2200 pollers at the most')
  expect(() => requireRoomForPollers(many(50, partitions(8)))).not.toThrow()
  expect(() => deployed(many(11))).toThrow('share a group of 2000')
})

test('another generation is another consumer group, and so another trigger', () => {
  const next = { ...sensors, generation: 1 }
  const { Resources } = deployed([next]).resources
  expect(Object.keys(Resources).filter((id) => id.includes('Trigger'))).toEqual(['SensorsTriggerG1'])
  const group = { ConsumerGroupId: 'inlet-dev-sensors-g1' }
  expect(Resources['SensorsTriggerG1']?.Properties).toMatchObject({ AmazonManagedKafkaEventSourceConfig: group })
})

test('a trigger waits for its topic and tables, and on demand for what its pollers call', () => {
  const before = (trigger: TriggerOptions, params = {}) =>
    deployed([reader(trigger)], stage(params)).resources.Resources['SensorsTrigger']?.DependsOn
  expect(before({})).toEqual(['SensorsTopic', 'LambdaEndpoint', 'StsEndpoint'])
  expect(before({ mode: 'provisioned' })).toEqual(['SensorsTopic'])
  const failing: TriggerOptions = { mode: 'provisioned', failureDestination: 'kafka://failed' }
  expect(before(failing)).toEqual(['SensorsTopic', 'SensorsFailureTopic'])
  const clusterArn = 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123-ab-s1'
  expect(before({}, { clusterArn })).toBeUndefined()
})
