import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { KafkaError } from '#shared/sources/kafka-faults.ts'
import { AssignedPartitions, type KafkaTriggerOptions, pause } from './kafka-mapping.ts'

/**
 * Feeds a pipeline's handler from a real topic as Lambda's event source mapping would, with the trigger that the pipeline
 * declares: a member of a consumer group, whose offsets are committed after the batches.
 * @throws Error what cannot heal; what was not settled is delivered again to who comes next
 */
export async function runKafkaTrigger(pipeline: Pipeline, options: KafkaTriggerOptions): Promise<void> {
  const { topic, signal, untilEnd } = options
  const goals = untilEnd ? await topic.offsets('latest', topic.partitions) : undefined
  const membership = new Membership(options)
  try {
    while (!signal.aborted) {
      const { partitions, changed } = await membership.assignment()
      const assigned = new AssignedPartitions(pipeline, options, AbortSignal.any([signal, changed]))
      await assigned.run(partitions, goals)
      if (goals !== undefined && !changed.aborted) return
    }
  } finally {
    await membership.leave()
  }
}

/** A place in the group, and the partitions that come with it. */
class Membership {
  readonly #options: KafkaTriggerOptions
  #partitions: readonly number[] | undefined
  #changed = new AbortController()
  #isLost = true

  constructor(options: KafkaTriggerOptions) {
    this.#options = options
  }

  /** The partitions of this consumer, and a signal that they are others now. Joins where needed. */
  async assignment(): Promise<{ readonly partitions: readonly number[]; readonly changed: AbortSignal }> {
    const { topic, signal, listener } = this.#options
    this.#changed = new AbortController()
    for (let failures = 1; this.#isLost && !signal.aborted; failures++) {
      try {
        await topic.group.join({
          onAssigned: (partitions) => this.#assign(partitions),
          onLost: () => {
            this.#isLost = true
            this.#changed.abort()
          },
        })
        this.#isLost = false
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.canRetry) throw error
        await pause(failures, error, this.#options)
      }
    }
    const partitions = this.#partitions ?? []
    listener.onAssigned(partitions, 0)
    return { partitions, changed: this.#changed.signal }
  }

  async leave(): Promise<void> {
    const { topic, listener } = this.#options
    if (!this.#isLost) await topic.group.leave().catch((error: unknown) => listener.onFault(error as Error, 0))
  }

  #assign(partitions: readonly number[]): void {
    if (String(partitions) === String(this.#partitions)) return
    this.#partitions = partitions
    this.#changed.abort()
  }
}
