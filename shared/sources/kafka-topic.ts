import { Consumer, type fetchV17, ListOffsetTimestamps, ResponseError } from '@platformatic/kafka'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { clientOptions, type KafkaConnection } from './kafka-connection.ts'
import { kafkaError } from './kafka-faults.ts'
import { KafkaGroup } from './kafka-group.ts'
import { type PartitionAnswer, partitionAnswer, type WantedRecords } from './kafka-records.ts'

export interface TopicOptions {
  readonly topic: string
  /** The consumer group, and how a member of it is known to the brokers. */
  readonly groupId: string
  readonly clientId: string
  /** Keeps the place of a member that is restarted (KIP-345); null for members that come and go. */
  readonly instanceId: string | null
  /** How long the group waits for a member that is silent. Milliseconds. */
  readonly sessionMs: number
}

/** How long a broker may hold back an answer that would be empty. */
const WAIT_MS = 500
/** Of an answer, as sent: compressed. A batch that is larger than either comes alone. */
const ANSWER_BYTES = 8 << 20
const PARTITION_BYTES = 1 << 20
/** Long enough for an answer of that size on a slow line: who reads waits no longer for a broker that hangs. */
const READ_TIMEOUT_MS = 15_000
/** A broker that hangs can be asked first who leads what: then another is. */
const REFRESH_RETRIES = 2
/**
 * As old as what is known of the cluster may become before a call asks for it by the way: who reads a topic refreshes it more
 * often. A broker that hangs can be the one that is asked, and would hold up every read and every heartbeat.
 */
const METADATA_MAX_AGE_MS = 300_000
/** How often the client tries to join again while a group is on the move. */
const JOIN_RETRIES = 10
const JOIN_PAUSE_MS = 300

export type KafkaClient = Consumer<Buffer, Buffer, Buffer, Buffer>

/**
 * A topic of a cluster, to be read by whoever says where to go on. Committed records only.
 *
 * Reads have connections of their own: a broker answers what comes over one of them in order, and a join of a group can take as
 * long as the group takes to settle.
 */
export class KafkaTopic {
  readonly topic: string
  /** What Kafka calls the cluster. */
  readonly clusterId: string
  /** What Kafka calls this very topic: one that is created anew under its name is another. */
  readonly topicId: string
  readonly group: KafkaGroup
  readonly #client: KafkaClient
  readonly #reader: KafkaClient
  readonly #where: string
  #leaders: readonly number[]
  #looked: Promise<unknown> = Promise.resolve()

  private constructor(
    { client, reader }: KafkaClients,
    topic: string,
    where: string,
    { id, topicId, leaders }: TopicState,
  ) {
    this.#client = client
    this.#reader = reader
    this.#where = where
    this.topic = topic
    this.clusterId = id
    this.topicId = topicId
    this.#leaders = leaders
    this.group = new KafkaGroup(client, topic, where)
  }

  /** @throws KafkaError */
  static async open(connection: KafkaConnection, options: TopicOptions): Promise<KafkaTopic> {
    const { topic, groupId, clientId, instanceId, sessionMs } = options
    const where = connection.brokers.join(',')
    const shared = {
      ...clientOptions(connection, clientId),
      groupId,
      autocommit: false,
      metadataMaxAge: METADATA_MAX_AGE_MS,
    } as const
    const reader: KafkaClient = new Consumer({ ...shared, requestTimeout: READ_TIMEOUT_MS })
    const client: KafkaClient = new Consumer({
      ...shared,
      ...(instanceId === null ? {} : { groupInstanceId: instanceId }),
      sessionTimeout: sessionMs,
      rebalanceTimeout: Math.max(sessionMs, 60_000),
      heartbeatInterval: Math.min(3000, Math.floor(sessionMs / 3)),
      protocols: [{ name: 'cooperative-sticky', version: 3 }],
      retries: JOIN_RETRIES,
      retryDelay: JOIN_PAUSE_MS,
    })
    for (const each of [client, reader]) each.topics.track(topic)
    try {
      return new KafkaTopic({ client, reader }, topic, where, await stateOf(reader, topic, 0))
    } catch (error) {
      await reader.close(true).catch(() => {})
      throw kafkaError(error, `cannot read the topic ${topic} of ${where}`)
    }
  }

  /** Kafka partitions, in ascending order. */
  get partitions(): number[] {
    return this.#leaders.map((_, partition) => partition)
  }

  /** The broker that leads a partition, as far as it is known. */
  leaderOf(partition: number): number {
    return this.#leaders[partition] ?? -1
  }

  /**
   * Asks who leads what now.
   * @returns the topic's id: another one when it was created anew
   * @throws KafkaError TOPIC_MISSING when it was deleted
   */
  async refresh(): Promise<string> {
    try {
      const [{ topicId, leaders }] = await Promise.all([
        stateOf(this.#reader, this.topic, REFRESH_RETRIES),
        // It shares out the partitions of the group by what it knows of them.
        stateOf(this.#client, this.topic, REFRESH_RETRIES),
      ])
      if (topicId === this.topicId) this.#leaders = leaders
      return topicId
    } catch (error) {
      throw kafkaError(error, `cannot read the topic ${this.topic} of ${this.#where}`)
    }
  }

  /**
   * The offsets that partitions begin or end at, or of their first records that are not older than a time.
   * @returns null where there is none that young
   */
  async offsets(
    at: 'earliest' | 'latest' | Date,
    partitions: readonly number[],
  ): Promise<ReadonlyMap<number, number | null>> {
    const timestamp =
      at instanceof Date
        ? BigInt(at.getTime())
        : at === 'earliest'
          ? ListOffsetTimestamps.EARLIEST
          : ListOffsetTimestamps.LATEST
    try {
      const answer = await this.#client.listOffsets({
        topics: [this.topic],
        partitions: { [this.topic]: [...partitions] },
        timestamp,
      })
      const offsets = answer.get(this.topic) ?? []
      return new Map(partitions.map((partition) => [partition, offsetOf(offsets[partition])]))
    } catch (error) {
      throw kafkaError(error, `cannot read the offsets of ${this.topic} of ${this.#where}`)
    }
  }

  /**
   * Reads some partitions that one broker leads. One call at a time for each broker, as it keeps in mind what it was asked before
   * (KIP-227).
   * @throws KafkaError when the broker did not answer
   */
  read(broker: number, wanted: readonly WantedRecords[]): Promise<PartitionAnswer[]> {
    return this.#read(this.#reader, broker, wanted)
  }

  async #read(client: KafkaClient, broker: number, wanted: readonly WantedRecords[]): Promise<PartitionAnswer[]> {
    const partitions = wanted.map(({ partition, from }) => ({
      partition,
      fetchOffset: BigInt(from),
      partitionMaxBytes: PARTITION_BYTES,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    }))
    const answers = await this.#answers(client, broker, [{ topicId: this.topicId, partitions }])
    return wanted.flatMap((each) => {
      const answer = answers.find(({ partitionIndex }) => partitionIndex === each.partition)
      return answer === undefined ? [] : [partitionAnswer(this.topic, each, answer)]
    })
  }

  /** The record at an offset, if it is still there. Beside reads, and one after the other. */
  async recordAt(partition: number, offset: number): Promise<KafkaRecord | undefined> {
    const look = (): Promise<PartitionAnswer[]> =>
      this.#read(this.#client, this.leaderOf(partition), [{ partition, from: offset }])
    const answers = this.#looked.then(look)
    this.#looked = answers.catch(() => {})
    const [answer] = await answers
    const [record] = answer?.fault === null ? answer.records : []
    return record?.offset === offset ? record : undefined
  }

  async close(): Promise<void> {
    await Promise.all([this.#reader.close(true), this.#client.close(true)])
  }

  async #answers(
    client: KafkaClient,
    node: number,
    topics: fetchV17.FetchRequestTopic[],
  ): Promise<fetchV17.FetchResponsePartition[]> {
    try {
      const response = await client.fetch({ node, topics, maxWaitTime: WAIT_MS, maxBytes: ANSWER_BYTES })
      return response.responses.flatMap((each) => each.partitions)
    } catch (error) {
      // The client makes one error of an answer in which a single partition has one.
      const answered = answerIn(error)
      if (answered !== undefined) return answered
      throw kafkaError(error, `cannot read ${this.topic} of ${this.#where}`)
    }
  }
}

interface KafkaClients {
  /** Of the group, and of all that can wait. */
  readonly client: KafkaClient
  /** Of reads: nothing is tried again inside. */
  readonly reader: KafkaClient
}

interface TopicState {
  readonly id: string
  readonly topicId: string
  readonly leaders: readonly number[]
}

async function stateOf(client: KafkaClient, topic: string, retries: number): Promise<TopicState> {
  const metadata = await client.metadata({ topics: [topic], forceUpdate: true, retries })
  const found = metadata.topics.get(topic)
  if (found === undefined) throw new Error(`there is no topic ${topic}`)
  return { id: metadata.id, topicId: found.id, leaders: found.partitions.map(({ leader }) => leader) }
}

function offsetOf(offset: bigint | undefined): number | null {
  return offset === undefined || offset < 0n ? null : Number(offset)
}

function answerIn(error: unknown): fetchV17.FetchResponsePartition[] | undefined {
  if (error instanceof ResponseError) {
    const response = error['response'] as fetchV17.FetchResponse | undefined
    const partitions = response?.responses.flatMap((each) => each.partitions) ?? []
    return partitions.length === 0 ? undefined : partitions
  }
  if (!(error instanceof AggregateError)) return undefined
  return answerIn(error.errors.at(-1))
}
