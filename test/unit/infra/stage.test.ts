import { stage } from '#test/helpers/stage.ts'
import { kafkaArn, kafkaNetwork } from '../../../infra/stage.ts'

const ARN = 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123-ab-s1'

test('nothing has to be said', () => {
  expect(stage()).toEqual({
    stack: 'inlet-dev',
    cluster: null,
    alarmEmail: null,
    freshnessSeconds: 600,
    model: null,
    reserveConcurrency: false,
    allowed: [],
  })
})

test('params are texts from a command line, or values of serverless.yml', () => {
  const said = {
    reserveConcurrency: 'true',
    freshnessSeconds: '900',
    allow: 'replaced-cluster:KafkaCluster, retention:a',
  }
  const allowed = ['replaced-cluster:KafkaCluster', 'retention:a']
  expect(stage(said)).toMatchObject({ reserveConcurrency: true, freshnessSeconds: 900, allowed })
})

test('of a cluster that is there the network may be unknown', () => {
  expect(stage({ clusterArn: ARN }).cluster).toEqual({ arn: ARN, network: null })
  const [clusterSubnets, clusterSecurityGroups] = ['subnet-0123abcd, subnet-0123abce', 'sg-0123abcd']
  expect(kafkaNetwork(stage({ clusterArn: ARN, clusterSubnets, clusterSecurityGroups }))).toEqual({
    subnets: ['subnet-0123abcd', 'subnet-0123abce'],
    groups: ['sg-0123abcd'],
  })
})

const IMAGE = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/flight-delay:1'

test('a model has an image, of whose repository the endpoint may read, and a file in the lake', () => {
  expect(stage({ modelImage: IMAGE, modelKey: 'models/model.tar.gz' }).model).toEqual({
    image: IMAGE,
    repository: 'eu-west-1:123456789012:repository/models/flight-delay',
    key: 'models/model.tar.gz',
    instance: null,
    isIsolated: false,
  })
})

test.each([
  [{ modelImage: IMAGE }, 'modelImage and modelKey are given together or not at all'],
  [{ modelImage: 'flight-delay:1', modelKey: 'model.tar.gz' }, 'modelImage: expected the URI of an image in ECR'],
  [{ modelImage: IMAGE, modelKey: '/model.tar.gz' }, 'modelKey: expected the key'],
  [{ modelImage: IMAGE, modelKey: 'model.tar.gz', modelInstance: 'c6i.large' }, 'modelInstance: expected ml.'],
  [{ modelInstance: 'ml.c6i.large' }, 'modelInstance: an instance is given, but no modelImage'],
  [{ clusterArn: 'arn:aws:s3:::events' }, 'clusterArn: expected the ARN of an MSK cluster, or nothing'],
  [
    { clusterSubnets: 'subnet-0123abcd', clusterSecurityGroups: 'sg-0123abcd' },
    'clusterArn: subnets or security groups',
  ],
  [{ clusterArn: ARN, clusterSubnets: 'subnet-0123abcd' }, 'are given together or not at all'],
  [{ clusterArn: ARN, clusterSubnets: 'vpc-1', clusterSecurityGroups: 'sg-0123abcd' }, 'expected ids of subnets'],
  [{ alarmEmail: 'nobody' }, 'alarmEmail: expected an address, or nothing'],
  [{ freshnessSeconds: 'soon' }, 'freshnessSeconds: expected seconds'],
  [{ reserveConcurrency: 'some' }, 'reserveConcurrency'],
  [{ allow: 'everything' }, 'allow.0: expected kind:of'],
])('%j is refused', (params, message) => {
  expect(() => stage(params)).toThrow(message)
})

test('topics and groups are named below their cluster', () => {
  const settings = stage({ clusterArn: ARN })
  expect(kafkaArn(settings, 'topic', 'flights')).toBe(`${ARN.replace(':cluster/', ':topic/')}/flights`)
  expect(kafkaArn(settings, 'group', 'g')).toBe('arn:aws:kafka:us-east-1:123456789012:group/events/0123-ab-s1/g')
  // CloudFormation does the same with an ARN that it will know.
  const parts = { 'Fn::Split': [':cluster/', { 'Fn::GetAtt': ['KafkaCluster', 'Arn'] }] }
  const own = { 'Fn::Join': ['', [{ 'Fn::Join': [':topic/', parts] }, '/flights']] }
  expect(kafkaArn(stage(), 'topic', 'flights')).toEqual(own)
})
