import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from './kafka-connection.ts'
import { type KafkaError, kafkaError } from './kafka-faults.ts'
import { CONFIGS, type NewTopic, type TopicConfigs, type TopicState } from './topics.ts'

/** The topics of a cluster. Everything throws KafkaError. */
export interface KafkaTopics {
  /** Those of them that are there. */
  describe(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState>>
  /** @throws KafkaError TOPIC_EXISTS */
  create(topic: string, settings: NewTopic): Promise<void>
  /** @param partitions how many there will be. @throws KafkaError PARTITIONS_REFUSED when it has as many, or more */
  addPartitions(topic: string, partitions: number): Promise<void>
  alterConfigs(topic: string, configs: TopicConfigs): Promise<void>
  close(): Promise<void>
}

/** The topics of the cluster behind a connection, which is made with the first call. */
export function openTopics(connection: KafkaConnection): KafkaTopics {
  const admin = new Admin(clientOptions(connection, 'inlet-topics'))
  const where = `of ${connection.brokers.join(',')}`
  return {
    async describe(topics) {
      const states = new Map<string, TopicState>()
      for (const topic of topics) {
        const state = await attempt(() => describeTopic(admin, topic), `cannot describe the topic ${topic} ${where}`)
        if (state !== null) states.set(topic, state)
      }
      return states
    },
    async create(topic, { partitions, replication, configs }) {
      // -1 is what the cluster decides (Apache Kafka, KIP-464).
      const request = {
        topics: [topic],
        partitions: partitions ?? -1,
        replicas: replication ?? -1,
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      }
      await attempt(() => admin.createTopics(request), `cannot create the topic ${topic} ${where}`)
    },
    async addPartitions(topic, partitions) {
      const request = { topics: [{ name: topic, count: partitions, assignments: null }] }
      await attempt(() => admin.createPartitions(request), `cannot add partitions to the topic ${topic} ${where}`)
    },
    async alterConfigs(topic, configs) {
      const resource = {
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName: topic,
        configs: Object.entries(configs).map(([name, value]) => {
          return { name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }
        }),
      }
      const cannot = `cannot change the settings of the topic ${topic} ${where}`
      await attempt(() => admin.incrementalAlterConfigs({ resources: [resource] }), cannot)
    },
    async close() {
      await admin.close()
    },
  }
}

async function describeTopic(admin: Admin, topic: string): Promise<TopicState | null> {
  const metadata = await admin.metadata({ topics: [topic], forceUpdate: true }).catch((error: unknown) => {
    if (kafkaError(error, '').fault === 'TOPIC_MISSING') return null
    throw error
  })
  const partitions = metadata?.topics.get(topic)?.partitions
  if (partitions === undefined) return null
  const configurationKeys = Object.values(CONFIGS)
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys }
  const [description] = await admin.describeConfigs({ resources: [resource] })
  const configs = (description?.configs ?? []).flatMap(({ name, value }) => (value === null ? [] : [[name, value]]))
  return {
    partitions: partitions.length,
    replication: partitions[0]?.replicas.length ?? 0,
    configs: Object.fromEntries(configs) as TopicConfigs,
  }
}

async function attempt<T>(operation: () => Promise<T>, cannot: string): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw kafkaError(error, cannot) satisfies KafkaError
  }
}
