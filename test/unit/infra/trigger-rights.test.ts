import { defineTrigger, type TriggerOptions } from '#shared/pipeline/trigger.ts'
import { sensors } from '#test/helpers/sensors.ts'
import { stage } from '#test/helpers/stage.ts'
import { triggerRights } from '../../../infra/trigger-rights.ts'

const SETTINGS = stage({ clusterArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123-ab-s1' })
const of = 'arn:aws:kafka:us-east-1:123456789012'
const uri = 'arn:aws:glue:us-east-1:123456789012:registry/events'
const secret = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:registry-AbCdEf'

/** What a trigger may do with the role of its function, more than a trigger of the same mode by default. */
function rights(trigger: TriggerOptions): unknown[] {
  const all = (options: TriggerOptions) => triggerRights(SETTINGS, { ...sensors, trigger: defineTrigger(options) })
  const usual = new Set(all({}).map((each) => JSON.stringify(each)))
  const more = all(trigger).filter((each) => !usual.has(JSON.stringify(each)))
  return more.map(({ Action, Resource }) => [Action, Resource])
}

test.each<[string, TriggerOptions, unknown[]]>([
  [
    'puts batches into a bucket, once it has seen that it is there',
    { failureDestination: 's3://failed' },
    [
      [['s3:PutObject'], { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::failed/aws/lambda/*' }],
      [['s3:ListBucket'], { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::failed' }],
    ],
  ],
  [
    'produces into a topic of its cluster, and into no other',
    { mode: 'provisioned', failureDestination: 'kafka://failed' },
    [[['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'], `${of}:topic/events/0123-ab-s1/failed`]],
  ],
  [
    'is in the group that is declared',
    { consumerGroup: 'sink' },
    [[['kafka-cluster:DescribeGroup', 'kafka-cluster:AlterGroup'], `${of}:group/events/0123-ab-s1/sink`]],
  ],
  [
    "asks Glue's registry for its schemas",
    { mode: 'provisioned', schemaRegistry: { uri } },
    [
      [['glue:GetRegistry'], uri],
      [['glue:GetSchemaVersion'], [uri, 'arn:aws:glue:us-east-1:123456789012:schema/events/*']],
    ],
  ],
  [
    "reads the secret of Confluent's",
    { mode: 'provisioned', schemaRegistry: { uri: 'https://registry', access: [{ type: 'BASIC_AUTH', secret }] } },
    [[['secretsmanager:GetSecretValue'], [secret]]],
  ],
  ['needs nothing for one that is open', { mode: 'provisioned', schemaRegistry: { uri: 'https://registry' } }, []],
])('a trigger %s', (_, trigger, expected) => {
  expect(rights(trigger)).toEqual(expected)
})
