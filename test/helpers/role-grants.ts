import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { resourceProperties, type Template } from './cloudformation.ts'
import { type AskedFor, denied, type Grant, grantsOf, unused } from './granted.ts'
import { deployed } from './stage.ts'

/** What Lambda itself does with the role of a function, and not its code: statement → actions. */
export const LAMBDAS_OWN: Readonly<Record<string, readonly string[]>> = {
  Write: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Trace: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  TellFailures: ['sqs:SendMessage'],
  FindCluster: ['kafka:DescribeClusterV2', 'kafka:GetBootstrapBrokers'],
  Connect: ['kafka-cluster:Connect'],
  ReadTopic: ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
  Group: ['kafka-cluster:DescribeGroup', 'kafka-cluster:AlterGroup'],
  AttachPollers: ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'],
  FindNetwork: [
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeVpcs',
  ],
  AttachToNetwork: ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DeleteNetworkInterface'],
  GiveUp: ['s3:PutObject'],
  FindGivenUp: ['s3:ListBucket'],
}

/** What the function of a stage with these pipelines may do. @param role its id in the template */
export function allGrants(role: string, pipelines: readonly Pipeline[]): readonly Grant[] {
  const { Resources } = deployed(pipelines).resources
  const ids = ['SubnetA', 'SubnetB', 'SubnetC', 'KafkaSecurityGroup', 'KafkaCluster']
  const known = { LakeDatabase: 'lake', ...Object.fromEntries(ids.map((id) => [id, id])) }
  const template = { Resources } as unknown as Template
  return grantsOf(resourceProperties(template, role, known))
}

/** The same, less what Lambda does in its name. */
export function grants(role: string, pipelines: readonly Pipeline[]): readonly Grant[] {
  return allGrants(role, pipelines).filter(({ Sid }) => !(Sid in LAMBDAS_OWN))
}

/** Neither more nor less is allowed than was asked for. */
export function expectJustEnough(asked: readonly AskedFor[], allowed: readonly Grant[]): void {
  expect(denied(asked, allowed)).toEqual([])
  expect(unused(asked, allowed)).toEqual([])
}
