import type { PartitionAnswer } from '#shared/sources/kafka-records.ts'
import type { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import type { ConsumedPartition } from './container-partition.ts'
import type { Works } from './container-works.ts'

export interface ReadsOptions {
  readonly topic: KafkaTopic
  readonly works: Works
  /** Told when it has to be asked again who leads what. */
  readonly onStale: () => void
  /** What is to be read is not there: it was deleted, or never was. */
  readonly onOutOfRange: (consumed: ConsumedPartition) => Promise<void>
}

/** Reads of the brokers that lead partitions: one call at a time for each broker. */
export class Reads {
  readonly #options: ReadsOptions
  readonly #brokers = new Set<number>()

  constructor(options: ReadsOptions) {
    this.#options = options
  }

  /** Begins to read partitions, as far as neither they nor their brokers are busy. */
  begin(partitions: readonly ConsumedPartition[]): void {
    const { topic, works } = this.#options
    const idle = partitions.filter((consumed) => !works.isBusy(consumed))
    for (const [broker, led] of Map.groupBy(idle, ({ partition }) => topic.leaderOf(partition))) {
      if (this.#brokers.has(broker)) continue
      this.#brokers.add(broker)
      works.beginAll(led, () => this.#read(broker, led).finally(() => this.#brokers.delete(broker)))
    }
  }

  async #read(broker: number, led: readonly ConsumedPartition[]): Promise<void> {
    const { onStale, onOutOfRange } = this.#options
    const answers = await this.#answers(broker, led)
    for (const consumed of led) {
      const answer = answers.find(({ partition }) => partition === consumed.partition)
      if (answer?.fault === null) await consumed.take(answer)
      else if (answer?.fault === 'outOfRange') await onOutOfRange(consumed)
      else if (answer !== undefined) onStale()
    }
  }

  async #answers(broker: number, led: readonly ConsumedPartition[]): Promise<readonly PartitionAnswer[]> {
    const { topic, onStale } = this.#options
    try {
      return await topic.read(
        broker,
        led.map(({ partition, position }) => ({ partition, from: position })),
      )
    } catch (error) {
      onStale()
      throw error
    }
  }
}
