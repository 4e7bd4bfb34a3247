import { KafkaError } from '#shared/sources/kafka-faults.ts'
import type { KafkaTopics } from '#shared/sources/kafka-topics.ts'
import type { NewTopic, TopicConfigs, TopicState } from '#shared/sources/topics.ts'

/** What this cluster gives a topic that asks for nothing. */
const CLUSTER_DEFAULTS: TopicState = {
  partitions: 1,
  replication: 3,
  configs: { 'retention.ms': '604800000', 'max.message.bytes': '1048588', 'cleanup.policy': 'delete' },
}

/** The topics of a cluster in memory, whose brokers hear of a change some calls after it was made. */
export class MemoryTopics implements KafkaTopics {
  readonly states = new Map<string, TopicState>()
  /** What was done, in order. */
  readonly done: string[] = []
  readonly #lag: number
  #seen: ReadonlyMap<string, TopicState> = new Map()
  #calls = 0

  /** @param lag how many descriptions of the topics tell what was before, between those that are up to date */
  constructor(lag = 0) {
    this.#lag = lag
  }

  async describe(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState>> {
    if (this.#calls++ % (this.#lag + 1) === 0) this.#seen = new Map(this.states)
    return new Map([...this.#seen].filter(([topic]) => topics.includes(topic)))
  }

  async create(topic: string, { partitions, replication, configs }: NewTopic): Promise<void> {
    if (this.states.has(topic)) throw new KafkaError('TOPIC_EXISTS', `Topic '${topic}' already exists`)
    this.states.set(topic, {
      partitions: partitions ?? CLUSTER_DEFAULTS.partitions,
      replication: replication ?? CLUSTER_DEFAULTS.replication,
      configs: { ...CLUSTER_DEFAULTS.configs, ...configs },
    })
    this.done.push(`create ${topic}`)
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    const state = this.#state(topic)
    if (partitions <= state.partitions)
      throw new KafkaError('PARTITIONS_REFUSED', `Topic already has ${state.partitions} partition(s)`)
    this.states.set(topic, { ...state, partitions })
    this.done.push(`${partitions} partitions for ${topic}`)
  }

  async alterConfigs(topic: string, configs: TopicConfigs): Promise<void> {
    const state = this.#state(topic)
    this.states.set(topic, { ...state, configs: { ...state.configs, ...configs } })
    this.done.push(`configs of ${topic}`)
  }

  async close(): Promise<void> {}

  #state(topic: string): TopicState {
    const state = this.states.get(topic)
    if (state === undefined) throw new KafkaError('TOPIC_MISSING', `Unknown topic ${topic}`)
    return state
  }
}
