import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { failureBucket } from '#shared/pipeline/trigger.ts'
import { declaredTopics } from '#shared/sources/topics.ts'
import { attribute, sub, type Value } from './cloudformation.ts'
import { bucketArn } from './event-source-mapping.ts'
import { allow, networkRights, type Statement } from './role.ts'
import { clusterArn, kafkaArn, type StageSettings } from './stage.ts'
import { triggerRights } from './trigger-rights.ts'

/*
 * What functions may do: what their code calls, and what Lambda does in their name. Who widens this has to show what calls it:
 * test/unit/infra/rights.test.ts runs the functions and compares.
 */

/** A pipeline's function: it lands slices in its own log and its own tables, and Lambda polls its topic with its role. */
export function pipelineRights(settings: StageSettings, pipeline: Pipeline): readonly Statement[] {
  const { name, generation, table } = pipeline
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
    ...triggerRights(settings, pipeline),
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

/** The logs of all pipelines, and what their tables have taken of them. */
export function readLogs(): readonly Statement[] {
  return [allow('ReadLogs', ['s3:GetObject'], inLake('log/*')), allow('ReadMarks', ['s3:GetObject'], inLake('marks/*'))]
}

/** Tables are found and moved to their next snapshot; those of plain files are made, and given partitions. */
function catalogRights(pipelines: readonly Pipeline[], tables: readonly string[]): Statement {
  const isPlain = pipelines.some(({ table }) => table.layout === 'files')
  const ofPlain = isPlain ? ['glue:CreateTable', 'glue:BatchCreatePartition'] : []
  return allow('Catalog', ['glue:GetTable', 'glue:UpdateTable', ...ofPlain], inCatalog(tables))
}

/** Tables of the stack's own database; Glue asks for the right to its catalog and to the database, too. */
export function inCatalog(tables: readonly string[]): Value[] {
  const glue = 'arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}'
  const parts = ['catalog', 'database/${LakeDatabase}', ...tables.map((table) => `table/\${LakeDatabase}/${table}`)]
  return parts.map((part) => sub(`${glue}:${part}`))
}

/** A redrive reads what was refused or given up, and lands it as the pipelines do. */
export function redriveRights(pipelines: readonly Pipeline[]): readonly Statement[] {
  const declared = pipelines.flatMap(({ trigger }) => failureBucket(trigger) ?? [])
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
  const names = new Set(declaredTopics(pipelines).map(({ topic }) => topic))
  const topics = [...names].map((topic) => kafkaArn(settings, 'topic', topic))
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

/**
 * Who may not list is told 403 in place of 404 for an object that is not there, and that question names no prefix: without
 * IfExists the answer could be no.
 */
export function listing(Sid: string, prefixes: readonly string[]): Statement {
  const Condition = { StringLikeIfExists: { 's3:prefix': prefixes } }
  return { ...allow(Sid, ['s3:ListBucket'], attribute('LakeBucket', 'Arn')), Condition }
}

export function lakeKey(): Statement {
  return allow('LakeKey', ['kms:Decrypt', 'kms:GenerateDataKey'], attribute('LakeKey', 'Arn'))
}

export function inLake(keys: string): Value {
  return sub(`\${LakeBucket.Arn}/${keys}`)
}
