import { topicProperties } from '../../../infra/custom-resources.ts'
import { defineTopicSettings, type TopicSettingsOptions } from '#shared/pipeline/topic-settings.ts'
import { topicResource } from '#shared/runtimes/topics.ts'
import type { KafkaConnection } from '#shared/sources/kafka-connection.ts'
import { MemoryTopics } from '#test/helpers/memory-topics.ts'

const NEVER = new AbortController().signal

/** As CloudFormation sends it: numbers are texts. */
const sent = (options: TopicSettingsOptions, ...names: string[]): unknown => {
  const pipelines = names.map((name) => ({ name, topic: 'clicks', topicSettings: defineTopicSettings(options) }))
  const properties = topicProperties(pipelines, 'b-1:9098').get('clicks')
  return JSON.parse(JSON.stringify(properties, (_, value: unknown) => (typeof value === 'number' ? `${value}` : value)))
}

test('a topic becomes what its pipelines declare, over the connection that is given, which is closed', async () => {
  const kafka = new MemoryTopics()
  const connections: KafkaConnection[] = []
  let open = 0
  kafka.close = async () => void (open -= 1)
  const resource = topicResource({ KAFKA_SASL: 'aws-msk-iam', AWS_REGION: 'us-east-1' }, (connection) => {
    connections.push(connection)
    open += 1
    return kafka
  })
  const apply = async (options: TopicSettingsOptions) => {
    const properties = resource.properties.parse(sent(options, 'clicks', 'views'))
    expect(resource.idOf(properties)).toBe('kafka-topic:clicks')
    await resource.apply(properties, NEVER)
  }
  await apply({ partitions: 4, retention: '2 days' })
  expect(kafka.states.get('clicks')).toMatchObject({
    partitions: 4,
    configs: { 'retention.ms': '172800000', 'max.message.bytes': '1048588' },
  })
  await apply({ partitions: 4, retention: '2 days' })
  await apply({ partitions: 6, cleanup: 'compact' })
  expect(kafka.done).toEqual(['create clicks', '6 partitions for clicks', 'configs of clicks'])
  await expect(apply({ partitions: 2 })).rejects.toThrow(/clicks: it has 6 partitions and 2 are declared/)
  expect(open).toBe(0)
  expect(connections[0]).toMatchObject({ brokers: ['b-1:9098'], auth: { kind: 'aws-msk-iam' } })
})

test('pipelines that do not agree on their topic have no properties', () => {
  const owner = (name: string, partitions: number) => {
    return { name, topic: 'clicks', topicSettings: defineTopicSettings({ partitions }) }
  }
  expect(() => topicProperties([owner('a', 1), owner('b', 2)], '')).toThrow(/topic clicks: the pipelines a and b/)
})
