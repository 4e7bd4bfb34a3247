import { clusterIdentity } from '#shared/runtimes/kafka-identity.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { mskEvent } from '#shared/trigger/msk-event.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'

const ARN = 'arn:aws:kafka:eu-west-1:123456789012:cluster/orders/2f6f-uuid-3'

test.each([
  [undefined, 'kafka.Q5PlH8BbeZMepyhJ4UVgQg'],
  [ARN, 'orders.2f6f-uuid-3'],
  ['orders.2f6f-uuid-3', 'orders.2f6f-uuid-3'],
  ['self-managed', 'self-managed'],
])('%s: a consumer knows the cluster by the name that its events say', (setting, cluster) => {
  const identity = clusterIdentity(setting, 'Q5PlH8BbeZMepyhJ4UVgQg', 'a:9092')
  const slice = { topic: 'flights', partition: 0, records: [kafkaRecord('{}')] }
  const { source } = parseMskEvent(mskEvent({ partitions: [slice] }, identity.source))
  expect([identity.cluster, source.cluster]).toEqual([cluster, cluster])
})

test('an ARN is passed on as it is', () => {
  expect(clusterIdentity(ARN, 'x', 'a:9092').source).toMatchObject({ eventSource: 'aws:kafka', arn: ARN })
})

test.each(['', 'orders', 'arn:aws:s3:::bucket', 'a.b/c'])('%j is no cluster', (setting) => {
  expect(() => clusterIdentity(setting, 'x', 'a:9092')).toThrow(/^KAFKA_CLUSTER: /)
})
