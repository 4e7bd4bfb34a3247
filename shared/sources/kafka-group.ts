import { kafkaError } from './kafka-faults.ts'
import type { KafkaClient } from './kafka-topic.ts'

/** What a member of a consumer group is told. */
export interface GroupListener {
  /** Which partitions are its own from now on: those it keeps among them. */
  readonly onAssigned: (partitions: readonly number[]) => void
  /** It is out of the group, and has to join again. */
  readonly onLost: (error: Error) => void
}

/**
 * Membership of a consumer group, by which the partitions of a topic are shared out: cooperatively (KIP-429), so that who
 * keeps a partition reads on while others move.
 */
export class KafkaGroup {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #where: string
  #listener: GroupListener | undefined

  constructor(client: KafkaClient, topic: string, where: string) {
    this.#client = client
    this.#topic = topic
    this.#where = where
    const tell = (): void => this.#listener?.onAssigned(this.#assigned())
    client.on('consumer:group:join', tell)
    client.on('consumer:group:rebalance', tell)
    client.on('error', (error: Error) => this.#listener?.onLost(kafkaError(error, this.#cannot('stay in'))))
    client.on('consumer:heartbeat:stalled', ({ lastError }) =>
      this.#listener?.onLost(kafkaError(lastError ?? new Error('no heartbeat was answered'), this.#cannot('stay in'))),
    )
  }

  /** Joins, or joins again. @throws KafkaError */
  async join(listener: GroupListener): Promise<void> {
    this.#listener = listener
    try {
      await this.#client.joinGroup()
    } catch (error) {
      throw kafkaError(error, this.#cannot('join'))
    }
  }

  /** Tells the group how far partitions are done: what is behind is its lag. @throws KafkaError */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const all = [...offsets].map(([partition, offset]) => {
      return { topic: this.#topic, partition, offset: BigInt(offset), leaderEpoch: -1 }
    })
    try {
      if (all.length > 0) await this.#client.commit({ offsets: all })
    } catch (error) {
      throw kafkaError(error, this.#cannot('commit offsets to'))
    }
  }

  /** How far the group has got; null where it has not committed yet. @throws KafkaError */
  async committed(partitions: readonly number[]): Promise<ReadonlyMap<number, number | null>> {
    try {
      const answer = await this.#client.listCommittedOffsets({
        topics: [{ topic: this.#topic, partitions: [...partitions] }],
      })
      const offsets = answer.get(this.#topic) ?? []
      return new Map(
        partitions.map((partition) => {
          const offset = offsets[partition]
          return [partition, offset === undefined || offset < 0n ? null : Number(offset)]
        }),
      )
    } catch (error) {
      throw kafkaError(error, this.#cannot('read the offsets of'))
    }
  }

  /** The others take over at once, and not when this member has been silent for long enough. @throws KafkaError */
  async leave(): Promise<void> {
    this.#listener = undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#client.leaveGroup(false, (error) => (error === null ? resolve() : reject(error)))
      })
    } catch (error) {
      throw kafkaError(error, this.#cannot('leave'))
    }
  }

  #assigned(): number[] {
    const own = this.#client.assignments?.find(({ topic }) => topic === this.#topic)
    return [...(own?.partitions ?? [])].sort((a, b) => a - b)
  }

  #cannot(doing: string): string {
    return `cannot ${doing} the consumer group ${this.#client.groupId} of ${this.#where}`
  }
}
