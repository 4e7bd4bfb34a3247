import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { attribute, exempt, logicalId, type Resource, sub, type Value } from './cloudformation.ts'
import { bucketArn, consumerGroup } from './event-source-mapping.ts'
import { clusterArn, kafkaArn, kafkaNetwork, type StageSettings } from './stage.ts'

/**
 * What functions may do: what their code calls, and what Lambda does in their name. Actions are named one by one. Who widens this
 * has to show what calls it: test/unit/infra/rights.test.ts runs the functions and compares.
 */
export interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: Value
  readonly Condition?: { readonly [key: string]: Value }
}

/** The role of one function, with what every function needs: its log group, and traces. */
export function functionRole(functionName: string, statements: readonly Statement[]): Resource {
  return {
    Type: 'AWS::IAM::Role',
    ...(statements.some(({ Sid }) => Sid === NETWORK) && {
      Metadata: exempt({
        CKV_AWS_111: 'Lambda makes network interfaces in the name of a function: none of them is there before',
      }),
    }),
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      Policies: [
        {
          PolicyName: functionName,
          PolicyDocument: { Version: '2012-10-17', Statement: [...own(functionName), ...statements].map(plain) },
        },
      ],
    },
  }
}

/** The role's logical id, for the function to name. */
export function roleId(functionName: string): string {
  return logicalId(functionName, 'Role')
}

/** A pipeline's function: it lands slices in its own log and its own tables, and Lambda polls its topic with its role. */
export function pipelineRights(settings: StageSettings, pipeline: Pipeline): readonly Statement[] {
  const { name, generation, table, trigger } = pipeline
  const log = `log/${name}/g${generation}/*`
  const tables = [table.name, deadLetterTable(pipeline).name]
  const immediate =
    pipeline.commit === 'immediate' ? [...commitRights(pipeline), catalogRights([pipeline], tables)] : []
  return [
    allow('Log', ['s3:GetObject', 's3:PutObject'], inLake(log)),
    // Written, never read or listed.
    allow(
      'DataFiles',
      ['s3:PutObject'],
      tables.map((of) => inLake(`tables/${of}/data/*`)),
    ),
    listing('ListLog', [log]),
    // Where a table's data files lie is noted beside its marks.
    allow('FindTables', ['s3:GetObject'], inLake(`marks/${name}/g${generation}/*`)),
    lakeKey(),
    ...immediate,
    ...pollerRights(settings, pipeline),
    ...(trigger.failureDestination === null ? [] : giveUpRights(trigger.failureDestination)),
  ]
}

/** What Lambda does with the role of a function that it polls a topic for ("Configuring your Lambda function's execution role", MSK). */
function pollerRights(settings: StageSettings, pipeline: Pipeline): Statement[] {
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

/** Lambda puts batches that it gives up below `aws/lambda/`, and looks first whether the bucket is there. */
function giveUpRights(destination: string): Statement[] {
  return [
    allow('GiveUp', ['s3:PutObject'], sub(`${bucketArn(destination)}/aws/lambda/*`)),
    allow('FindGivenUp', ['s3:ListBucket'], sub(bucketArn(destination))),
  ]
}

/**
 * The committer serves all pipelines, so that it is limited to prefixes of the lake and not to tables: named one by one, those of
 * twenty pipelines would be more than a role's policy may hold. It alone deletes in the lake: markers of what a table has taken.
 */
export function committerRights(pipelines: readonly Pipeline[]): readonly Statement[] {
  return [...commitRights(null), listing('ListLake', ['log/*']), lakeKey(), catalogRights(pipelines, ['*'])]
}

/** @param pipeline whose tables are committed to; null for all */
function commitRights(pipeline: Pipeline | null): Statement[] {
  const of = pipeline?.name ?? '*'
  const tables = pipeline === null ? ['*'] : [pipeline.table.name, deadLetterTable(pipeline).name]
  return [
    allow('ReadLogs', ['s3:GetObject'], inLake(`log/${of}/*`)),
    allow('ReleaseMarkers', ['s3:DeleteObject'], inLake(`log/${of}/*/dirty/*`)),
    allow('Marks', ['s3:GetObject', 's3:PutObject'], inLake(`marks/${of}/*`)),
    allow(
      'Snapshots',
      ['s3:GetObject', 's3:PutObject'],
      tables.map((table) => inLake(`tables/${table}/metadata/*`)),
    ),
  ]
}

/** Tables are found and moved to their next snapshot; those of plain files are made, and given partitions. */
function catalogRights(pipelines: readonly Pipeline[], tables: readonly string[]): Statement {
  const isPlain = pipelines.some(({ table }) => table.layout === 'files')
  const ofPlain = isPlain ? ['glue:CreateTable', 'glue:BatchCreatePartition'] : []
  return allow('Catalog', ['glue:GetTable', 'glue:UpdateTable', ...ofPlain], inCatalog(tables))
}

/** Tables of the stack's own database; Glue asks for the right to its catalog and to the database, too. */
function inCatalog(tables: readonly string[]): Value[] {
  const glue = 'arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}'
  const parts = ['catalog', 'database/${LakeDatabase}', ...tables.map((table) => `table/\${LakeDatabase}/${table}`)]
  return parts.map((part) => sub(`${glue}:${part}`))
}

/** A redrive reads what was refused or given up, and lands it as the pipelines do. */
export function redriveRights(pipelines: readonly Pipeline[]): readonly Statement[] {
  const declared = pipelines.flatMap(({ trigger }) => trigger.failureDestination ?? [])
  const destinations = [...new Set(declared)].map(bucketArn)
  return [
    allow('Logs', ['s3:GetObject', 's3:PutObject'], inLake('log/*')),
    allow('DataFiles', ['s3:PutObject'], inLake('tables/*/data/*')),
    allow('DeadLetters', ['s3:GetObject'], inLake('tables/*_dead_letters/data/*')),
    listing('ListLogs', ['log/*']),
    allow('FindTables', ['s3:GetObject'], inLake('marks/*')),
    lakeKey(),
    ...(destinations.length === 0
      ? []
      : [
          // Deleted once they have landed.
          allow(
            'GivenUp',
            ['s3:GetObject', 's3:DeleteObject'],
            destinations.map((bucket) => sub(`${bucket}/aws/lambda/*`)),
          ),
          allow(
            'ListGivenUp',
            ['s3:ListBucket'],
            destinations.map((bucket) => sub(bucket)),
          ),
        ]),
  ]
}

export function brokersRights(settings: StageSettings): readonly Statement[] {
  return [allow('FindBrokers', ['kafka:GetBootstrapBrokers'], clusterArn(settings))]
}

/** Topics are made and changed, never deleted. */
export function topicsRights(settings: StageSettings, pipelines: readonly Pipeline[]): readonly Statement[] {
  const topics = [...new Set(pipelines.map(({ topic }) => topic))].map((topic) => kafkaArn(settings, 'topic', topic))
  return [
    allow('Connect', ['kafka-cluster:Connect'], clusterArn(settings)),
    allow(
      'Topics',
      [
        'kafka-cluster:DescribeTopic',
        'kafka-cluster:CreateTopic',
        'kafka-cluster:AlterTopic',
        'kafka-cluster:DescribeTopicDynamicConfiguration',
        'kafka-cluster:AlterTopicDynamicConfiguration',
      ],
      topics,
    ),
    networkRights(),
  ]
}

/** Tables are made and changed; their marks and ids are noted beside the log. */
export function tablesRights(): readonly Statement[] {
  return [
    allow('Marks', ['s3:GetObject', 's3:PutObject'], inLake('marks/*')),
    allow('Metadata', ['s3:GetObject', 's3:PutObject'], inLake('tables/*/metadata/*')),
    listing('FindMarks', ['marks/*']),
    lakeKey(),
    allow('Catalog', ['glue:GetTable', 'glue:CreateTable', 'glue:UpdateTable'], inCatalog(['*'])),
  ]
}

/** What Lambda does in the name of a function that nobody waits for: tell of invocations that failed. */
export function failureRights(): Statement {
  return allow('TellFailures', ['sqs:SendMessage'], attribute('FailedInvocations', 'Arn'))
}

const NETWORK = 'AttachToNetwork'

/**
 * Lambda attaches a function to a network in the function's name ("Giving Lambda functions access to resources in an Amazon VPC",
 * which gives no resource for any of it).
 */
function networkRights(): Statement {
  const actions = ['Create', 'Describe', 'Delete'].map(
    (doing) => `ec2:${doing}NetworkInterface${doing === 'Describe' ? 's' : ''}`,
  )
  return allow(NETWORK, actions, '*')
}

function own(functionName: string): Statement[] {
  return [
    allow(
      'Write',
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      attribute(logicalId(functionName, 'LogGroup'), 'Arn'),
    ),
    // Traces belong to no resource.
    allow('Trace', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*'),
  ]
}

/**
 * Who may not list is told 403 in place of 404 for an object that is not there, and that question names no prefix: without
 * IfExists the answer could be no.
 */
function listing(Sid: string, prefixes: readonly string[]): Statement {
  const Condition = { StringLikeIfExists: { 's3:prefix': prefixes } }
  return { ...allow(Sid, ['s3:ListBucket'], attribute('LakeBucket', 'Arn')), Condition }
}

function lakeKey(): Statement {
  return allow('LakeKey', ['kms:Decrypt', 'kms:GenerateDataKey'], attribute('LakeKey', 'Arn'))
}

function inLake(keys: string): Value {
  return sub(`\${LakeBucket.Arn}/${keys}`)
}

function allow(Sid: string, Action: readonly string[], resource: Value): Statement {
  return { Sid, Effect: 'Allow', Action, Resource: resource }
}

function plain({ Condition, ...statement }: Statement): Value {
  return Condition === undefined ? statement : { ...statement, Condition }
}
