import { type DeploymentFault, meant } from './deployment-fault.ts'
import { isSame, type Properties, type Template } from './template.ts'

/**
 * What makes CloudFormation replace the cluster of a stage, or something that it stands on, which replaces it too: the subnets it
 * is in, their network, its security group (`createOnlyProperties` and `conditionalCreateOnlyProperties` of the resource schemas; a
 * test compares).
 *
 * cluster.lock.json holds these properties as they were when the cluster was first deployed. It is committed, and the same for all
 * stages: no property names one. So a change is refused where it is made, at packaging, without credentials and before any
 * stage has it; a deployment asks once more, of the template that is deployed.
 */
export const CREATE_ONLY: Readonly<Record<string, readonly string[]>> = {
  'AWS::MSK::ServerlessCluster': ['ClusterName', 'VpcConfigs', 'ClientAuthentication', 'Tags'],
  'AWS::EC2::Subnet': [
    'AvailabilityZone',
    'AvailabilityZoneId',
    'CidrBlock',
    'Ipv4IpamPoolId',
    'Ipv4NetmaskLength',
    'Ipv6CidrBlock',
    'Ipv6IpamPoolId',
    'Ipv6Native',
    'Ipv6NetmaskLength',
    'OutpostArn',
    'VpcId',
  ],
  'AWS::EC2::VPC': ['CidrBlock', 'InstanceTenancy', 'Ipv4IpamPoolId', 'Ipv4NetmaskLength', 'VpcEncryptionControl'],
  'AWS::EC2::SecurityGroup': ['GroupDescription', 'GroupName', 'VpcId'],
}

const CLUSTER = 'KafkaCluster'

/** By logical id, the properties that cannot be changed in place. */
export type ClusterLock = Readonly<Record<string, Properties>>

/** @returns null for a stage that has no cluster of its own */
export function clusterLock(template: Template): ClusterLock | null {
  if (!(CLUSTER in template.Resources)) return null
  const lock: Record<string, Properties> = {}
  const pending = [CLUSTER]
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const { Type, Properties = {} } = template.Resources[id] ?? { Type: '' }
    const fixed = (CREATE_ONLY[Type] ?? []).filter((name) => name in Properties)
    if (id in lock || !(Type in CREATE_ONLY)) continue
    lock[id] = Object.fromEntries(fixed.map((name) => [name, Properties[name]]))
    pending.push(...references(lock[id]))
  }
  return Object.fromEntries(Object.entries(lock).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The logical ids that a value refers to. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: readonly [string, string] }
  if (Ref !== undefined) return [Ref]
  return attribute === undefined ? Object.values(value).flatMap(references) : [attribute[0]]
}

/**
 * What would replace a cluster.
 * @param locked as it is deployed, or as it was locked; null where there is none
 */
export function clusterChanges(template: Template, locked: ClusterLock | null): readonly DeploymentFault[] {
  const lock = clusterLock(template)
  if (lock === null || locked === null) return []
  const ids = new Set([...Object.keys(locked), ...Object.keys(lock)])
  const changed = [...ids].flatMap((id) => {
    const names = new Set([...Object.keys(locked[id] ?? {}), ...Object.keys(lock[id] ?? {})])
    const different = [...names].filter((name) => !isSame(locked[id]?.[name], lock[id]?.[name]))
    return different.map((name) => `${id}.${name}`)
  })
  if (changed.length === 0) return []
  const reason = `${changed.join(', ')} would change, which cannot be done in place: CloudFormation makes a second cluster, without topics and records, and points the triggers there`
  return [meant('replaced-cluster', CLUSTER, reason, 'leave it as infra/cluster.lock.json has it')]
}
