import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { defineTrigger } from '#shared/pipeline/trigger.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/sensors.ts'
import { deployed, stage } from '#test/helpers/stage.ts'

const CLUSTER = 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123-ab-s1'
const trigger = defineTrigger({ mode: 'provisioned', failureDestination: 's3://given-up' })
const provisioned: Pipeline = { ...sensors, trigger }
const extension = (pipelines: readonly Pipeline[], id: string, params = {}) =>
  deployed(pipelines, stage(params)).resources.extensions[id]

test('a pipeline is a function of its name, in the folder that it lies in, with a role of its own', () => {
  const { functions } = deployed([{ ...sensors, name: 'late-sensors' }])
  expect(functions['late-sensors']).toEqual({
    handler: 'functions/late-sensors/handler.handler',
    description: 'sensors from Kafka to the lake',
    role: { 'Fn::Sub': '${LateDashsensorsRole.Arn}' },
  })
})

test('a pipeline may not be called as a function that is there already', () => {
  expect(() => deployed([{ ...sensors, name: 'tables' }])).toThrow('pipeline tables: a function of that name is there')
})

test('who commits at once is told the catalog', () => {
  expect(deployed([{ ...locked(sensors), commit: 'immediate' }]).functions['sensors']).toMatchObject({
    environment: { LAKE_CATALOG: '${env:LAKE_CATALOG, self:custom.catalog}' },
  })
})

test('the network, its endpoints and the cluster are made where somebody needs them', () => {
  const files = (pipeline: Pipeline, params = {}) => {
    const { network, endpoints, cluster } = deployed([pipeline], stage(params))
    return [network, endpoints, cluster]
  }
  const [network, endpoints, cluster] = ['network', 'endpoints', 'cluster'].map((name) => `\${file(infra/${name}.yml)}`)
  expect(files(sensors)).toEqual([network, endpoints, cluster])
  expect(files(provisioned)).toEqual([network, {}, cluster])
  expect(files(sensors, { clusterArn: CLUSTER })).toEqual([{}, {}, {}])
})

test('topics are made where the cluster can be reached, once for all that read them', () => {
  const twice = [sensors, { ...sensors, name: 'again' }]
  const own = deployed(twice)
  const topics = Object.entries(own.resources.Resources).filter(([, { Type }]) => Type === 'Custom::KafkaTopic')
  expect(topics).toMatchObject([
    ['SensorsTopic', { Properties: { Topic: 'sensors', Pipelines: ['again', 'sensors'] } }],
  ])
  expect(Object.keys(own.functions)).toEqual(['sensors', 'again', 'tables', 'brokers', 'topics'])
  const arn = { 'Fn::GetAtt': ['FailedInvocations', 'Arn'] }
  for (const name of ['tables', 'brokers', 'topics'])
    expect(own.functions[name]).toMatchObject({ destinations: { onFailure: { type: 'sqs', arn } } })
  const foreign = deployed(twice, stage({ clusterArn: CLUSTER }))
  expect(Object.keys(foreign.functions)).toEqual(['sensors', 'again', 'tables'])
  expect(Object.keys(foreign.resources.Resources).filter((id) => /Topic|Brokers/.test(id))).toEqual([])
})

test('topics for what is given up are made, too: large and for ever, unless a pipeline reads them', () => {
  const failing = { ...sensors, trigger: defineTrigger({ mode: 'provisioned', failureDestination: 'kafka://waiting' }) }
  const topics = (pipelines: readonly Pipeline[]) => {
    const all = Object.entries(deployed(pipelines).resources.Resources)
    const own = all.filter(([, { Type }]) => Type === 'Custom::KafkaTopic')
    return own.map(([id, { Properties }]) => [id, Properties['Topic'], Properties['Settings']])
  }
  expect(topics([failing, { ...failing, name: 'again' }])).toEqual([
    ['SensorsTopic', 'sensors', {}],
    ['SensorsFailureTopic', 'waiting', { retentionMs: -1, maxMessageBytes: 8_388_608 }],
  ])
  expect(topics([failing, { ...sensors, name: 'second', topic: 'waiting' }])).toEqual([
    ['SensorsTopic', 'sensors', {}],
    ['SecondTopic', 'waiting', {}],
  ])
})

test('the way to S3 is open for answers, and for what pollers give up', () => {
  const statements = (pipeline: Pipeline) =>
    (extension([pipeline], 'S3Endpoint') as { Properties: { PolicyDocument: { Statement: unknown } } }).Properties
      .PolicyDocument.Statement
  const put = { Effect: 'Allow', Principal: '*', Action: 's3:PutObject' }
  const answers = { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::cloudformation-custom-resource-response-*/*' }
  expect(statements(sensors)).toEqual([{ ...put, Resource: [answers] }])
  expect(statements(provisioned)).toEqual([
    { ...put, Resource: [answers, { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::given-up/aws/lambda/*' }] },
    { ...put, Action: 's3:ListBucket', Resource: [{ 'Fn::Sub': 'arn:${AWS::Partition}:s3:::given-up' }] },
  ])
  expect(extension([sensors], 'S3Endpoint', { clusterArn: CLUSTER })).toBeUndefined()
})

test('only versions that nobody sees are thrown away: of data files, and of markers, which are empty', () => {
  const { LifecycleConfiguration } = (extension([sensors], 'LakeBucket') as { Properties: Record<string, unknown> })
    .Properties
  const after = { NoncurrentVersionExpiration: { NoncurrentDays: 30 } }
  expect(LifecycleConfiguration).toEqual({
    Rules: [
      { Id: 'sensors', Status: 'Enabled', Prefix: 'tables/sensors/data/', ...after },
      { Id: 'sensors_dead_letters', Status: 'Enabled', Prefix: 'tables/sensors_dead_letters/data/', ...after },
      { Id: 'markers', Status: 'Enabled', Prefix: 'log/', ObjectSizeLessThan: '1', ...after },
      { Id: 'delete-markers', Status: 'Enabled', Prefix: 'log/', ExpiredObjectDeleteMarker: true },
    ],
  })
})

test('concurrency is reserved for those who could starve others, where the stage says so', () => {
  const reserved = (id: string, params = {}) => extension([sensors], id, params)
  const reserveConcurrency = true
  expect(reserved('CommitterLambdaFunction')).not.toHaveProperty('Properties')
  for (const id of ['CommitterLambdaFunction', 'RedriveLambdaFunction'])
    expect(reserved(id, { reserveConcurrency })).toHaveProperty('Properties', { ReservedConcurrentExecutions: 2 })
  expect(reserved('SensorsLambdaFunction', { reserveConcurrency })).not.toHaveProperty('Properties')
})

test('each alarm tells the one topic, by name of its pipeline, and is of the trigger that can set it off', () => {
  const alarms = (pipeline: Pipeline) =>
    Object.entries(deployed([pipeline], stage({ alarmEmail: 'a@example.com' })).resources.Resources).filter(
      ([, { Type }]) => Type === 'AWS::CloudWatch::Alarm',
    )
  const ofPipeline = ['Lag', 'Freshness', 'DeadLetters', 'Failing', 'Throttled'].map((what) => `Sensors${what}Alarm`)
  const others = ['SnapshotsLate', 'SnapshotsBehind', 'CommitsOutsideSnapshots', 'Throttled'].map(
    (what) => `Committer${what}Alarm`,
  )
  const names = (pipeline: Pipeline) => alarms(pipeline).map(([id]) => id)
  expect(names(sensors)).toEqual([...ofPipeline, ...others, 'FailedInvocationsAlarm'])
  const given = ['SensorsDroppedAlarm', 'SensorsGivenUpAlarm']
  expect(names(provisioned)).toEqual([...ofPipeline, ...given, ...others, 'FailedInvocationsAlarm'])
  for (const [, { Properties }] of alarms(provisioned)) expect(Properties['AlarmActions']).toEqual([{ Ref: 'Alarms' }])
})

test('a function that crashes sets off the alarm that one sets off which fails in its own words', () => {
  const { Resources } = deployed([sensors]).resources
  expect(Resources['SensorsFailingAlarm']?.Properties).toMatchObject({
    Metrics: [
      { Expression: 'FILL(failed, 0) + FILL(errors, 0)', ReturnData: true },
      { Id: 'failed', MetricStat: { Metric: { Namespace: 'Inlet/inlet-dev', MetricName: 'failed' } } },
      { Id: 'errors', MetricStat: { Metric: { Namespace: 'AWS/Lambda', MetricName: 'Errors' } } },
    ],
    ComparisonOperator: 'GreaterThanThreshold',
    EvaluationPeriods: 3,
  })
})

test('a day without a snapshot is an alarm, also when nothing is counted at all, and when runs do not keep up', () => {
  const { Resources } = deployed([sensors]).resources
  expect(Resources['CommitterCommitsOutsideSnapshotsAlarm']?.Properties).toMatchObject({
    ComparisonOperator: 'LessThanThreshold',
    Threshold: 1,
    TreatMissingData: 'breaching',
    Metrics: [
      {
        Expression: 'IF(FILL(runs, 0) - FILL(errors, 0) > 0 AND FILL(waited, 0) < 86400000, 1, 0)',
        Period: 86_400,
      },
      { Id: 'runs', MetricStat: { Stat: 'Sum' } },
      { Id: 'errors', MetricStat: { Stat: 'Sum' } },
      { Id: 'waited', MetricStat: { Stat: 'Maximum', Metric: { MetricName: 'commit waited' } } },
    ],
  })
})
