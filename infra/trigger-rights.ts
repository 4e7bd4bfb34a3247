import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { isGlueRegistry, type SchemaRegistry } from '#shared/pipeline/schema-registry.ts'
import { failureBucket, failureTopic } from '#shared/pipeline/trigger.ts'
import { sub, type Value } from './cloudformation.ts'
import { bucketArn, consumerGroup } from './event-source-mapping.ts'
import { allow, type Statement } from './role.ts'
import { clusterArn, kafkaArn, kafkaNetwork, type StageSettings } from './stage.ts'

/** What Lambda does with the role of a function that it polls a topic for ("Configuring your Lambda function's execution role", MSK). */
export function triggerRights(settings: StageSettings, pipeline: Pipeline): readonly Statement[] {
  const topic = kafkaArn(settings, 'topic', pipeline.topic)
  const group = kafkaArn(settings, 'group', consumerGroup(settings, pipeline))
  const anyOf = (what: string): Value => sub(`arn:\${AWS::Partition}:ec2:\${AWS::Region}:\${AWS::AccountId}:${what}/*`)
  return [
    allow('FindCluster', ['kafka:DescribeClusterV2', 'kafka:GetBootstrapBrokers'], clusterArn(settings)),
    allow('Connect', ['kafka-cluster:Connect'], clusterArn(settings)),
    allow('ReadTopic', ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'], topic),
    allow('Group', ['kafka-cluster:DescribeGroup', 'kafka-cluster:AlterGroup'], group),
    // Pollers are put into the cluster's subnets. What only describes cannot be limited to a resource.
    allow(
      'AttachPollers',
      ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'],
      [anyOf('network-interface'), ...pollerPlaces(settings, anyOf)],
    ),
    allow(
      'FindNetwork',
      ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs'],
      '*',
    ),
    ...giveUpRights(settings, pipeline),
    ...(pipeline.trigger.schemaRegistry === null ? [] : registryRights(pipeline.trigger.schemaRegistry)),
  ]
}

/** The subnets and groups that an interface is made in: the cluster's, where they are known. */
function pollerPlaces(settings: StageSettings, anyOf: (what: string) => Value): Value[] {
  const network = kafkaNetwork(settings)
  if (network === null || settings.cluster !== null) return [anyOf('subnet'), anyOf('security-group')]
  const one = (what: string) => (id: Value) => ({
    'Fn::Join': ['', [sub(`arn:\${AWS::Partition}:ec2:\${AWS::Region}:\${AWS::AccountId}:${what}/`), id]],
  })
  return [...network.subnets.map(one('subnet')), ...network.groups.map(one('security-group'))]
}

/** Lambda puts batches that it gives up below `aws/lambda/`, and looks first whether the bucket is there; or it is a producer. */
function giveUpRights(settings: StageSettings, { trigger }: Pipeline): Statement[] {
  const [bucket, topic] = [failureBucket(trigger), failureTopic(trigger)]
  if (topic !== null)
    return [
      allow('GiveUp', ['kafka-cluster:DescribeTopic', 'kafka-cluster:WriteData'], kafkaArn(settings, 'topic', topic)),
    ]
  if (bucket === null) return []
  return [
    allow('GiveUp', ['s3:PutObject'], sub(`${bucketArn(bucket)}/aws/lambda/*`)),
    allow('FindGivenUp', ['s3:ListBucket'], sub(bucketArn(bucket))),
  ]
}

/**
 * Glue's registry is read with the role, Confluent's with secrets that the role may read ("Using schema registries with Kafka event
 * sources in Lambda"; which actions it takes is what AWS SAM and the CDK give for it).
 */
function registryRights(registry: SchemaRegistry): Statement[] {
  const { uri, access } = registry
  if (!isGlueRegistry(registry))
    return access.length === 0
      ? []
      : [
          allow(
            'RegistryLogin',
            ['secretsmanager:GetSecretValue'],
            access.map(({ secret }) => secret),
          ),
        ]
  const schemas = `${uri.replace(':registry/', ':schema/')}/*`
  return [allow('Registry', ['glue:GetRegistry'], uri), allow('Schemas', ['glue:GetSchemaVersion'], [uri, schemas])]
}
