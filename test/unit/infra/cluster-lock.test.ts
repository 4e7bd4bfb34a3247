import { clusterChanges, clusterLock } from '../../../infra/cluster-lock.ts'
import type { Template } from '../../../infra/template.ts'

const template = (changes: Readonly<Record<string, object>> = {}): Template => {
  const resources: Record<string, { Type: string; Properties: object }> = {
    KafkaCluster: {
      Type: 'AWS::MSK::ServerlessCluster',
      Properties: {
        ClusterName: 'a',
        VpcConfigs: [{ SubnetIds: [{ Ref: 'Subnet' }], SecurityGroups: [{ Ref: 'Group' }] }],
      },
    },
    Subnet: {
      Type: 'AWS::EC2::Subnet',
      Properties: { CidrBlock: '10.0.0.0/24', VpcId: { 'Fn::GetAtt': ['Network', 'VpcId'] }, Tags: [] },
    },
    Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'g', SecurityGroupEgress: [] } },
    Network: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16', EnableDnsSupport: true } },
    Other: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.9.0.0/16' } },
  }
  for (const [id, properties] of Object.entries(changes)) {
    const { Type = '', Properties } = resources[id] ?? {}
    resources[id] = { Type, Properties: { ...Properties, ...properties } }
  }
  return { Resources: resources } as unknown as Template
}

const changes = (changed: Template) => clusterChanges(changed, clusterLock(template())).map(({ reason }) => reason)

test('nothing has changed, or only what can be changed in place', () => {
  expect(changes(template())).toEqual([])
  const inPlace = {
    Subnet: { Tags: [{ Key: 'a' }] },
    Network: { EnableDnsSupport: false },
    Group: { SecurityGroupEgress: [1] },
  }
  expect(changes(template({ ...inPlace, Other: { CidrBlock: '10.8.0.0/16' } }))).toEqual([])
})

test.each([
  [{ KafkaCluster: { ClusterName: 'b' } }, 'KafkaCluster.ClusterName'],
  [{ KafkaCluster: { Tags: { owner: 'me' } } }, 'KafkaCluster.Tags'],
  [{ Subnet: { CidrBlock: '10.0.1.0/24' } }, 'Subnet.CidrBlock'],
  [{ Group: { GroupDescription: 'h' } }, 'Group.GroupDescription'],
  [{ Network: { CidrBlock: '10.1.0.0/16' } }, 'Network.CidrBlock'],
])('%j replaces the cluster', (changed, what) => {
  expect(changes(template(changed))).toEqual([expect.stringContaining(`${what} would change`)])
})

test('what a cluster stands on under another name is another one', () => {
  const { Resources } = template({ KafkaCluster: { VpcConfigs: [{ SubnetIds: [{ Ref: 'New' }] }] } })
  const moved = { Resources: { ...Resources, New: Resources['Subnet'] } } as Template
  expect(changes(moved)[0]).toMatch(/VpcConfigs.*Subnet\.CidrBlock.*New\.CidrBlock/)
})

test('a stage without a cluster of its own has nothing to replace', () => {
  const none: Template = { Resources: {} }
  expect(clusterLock(none)).toBeNull()
  expect(changes(none)).toEqual([])
  expect(clusterChanges(template(), null)).toEqual([])
})
