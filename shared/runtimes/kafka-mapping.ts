import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { StartingPosition } from '#shared/pipeline/trigger.ts'
import { KafkaError } from '#shared/sources/kafka-faults.ts'
import { retryPause } from '#shared/sources/kafka-retries.ts'
import type { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import { type Discarded, failureObject } from '#shared/trigger/failure-destination.ts'
import { type KafkaSource, mskEvent } from '#shared/trigger/msk-event.ts'
import type { Fetched, Wanted } from '#shared/trigger/partition-queue.ts'
import { startingOffset } from '#shared/trigger/starting-position.ts'
import { runEventSource } from './event-source.ts'
import type { PipelineHandler } from './lambda.ts'
import { LAMBDA_TIMEOUT_MS, localContext } from './local.ts'
import { partitionBounds } from './partition-bounds.ts'

export interface KafkaTriggerOptions {
  readonly topic: KafkaTopic
  /** The cluster as its events name it. */
  readonly source: KafkaSource
  readonly handler: PipelineHandler
  readonly startingPosition: StartingPosition
  /** Where batches go that are given up; null when they are lost. */
  readonly failures: ObjectStore | null
  /** Ends when all that was there at the beginning is settled, in place of going on for ever. */
  readonly untilEnd: boolean
  readonly signal: AbortSignal
  readonly listener: KafkaTriggerListener
}

export interface KafkaTriggerListener {
  /** Which partitions this consumer has, where it begins and, to the end of the topic, how many offsets there are to do. */
  readonly onAssigned: (partitions: readonly number[], offsets: number) => void
  /** Something that can heal; it is tried again after a pause. */
  readonly onFault: (error: Error, pauseMs: number) => void
  readonly onDiscarded: (discarded: Discarded, cause: Error | undefined) => void
  /** Records that no filter let through, all in all. */
  readonly onFiltered: (records: number) => void
}

/** The event source mapping of some partitions, as long as they are this consumer's. */
export class AssignedPartitions {
  readonly #pipeline: Pipeline
  readonly #options: KafkaTriggerOptions
  readonly #signal: AbortSignal
  readonly #broken = new AbortController()
  readonly #committed = new Map<number, number>()
  /** What was given up, on its way to the failure destination. */
  readonly #kept: Promise<void>[] = []
  #commits: Promise<void> = Promise.resolve()
  #invocations = 0

  constructor(pipeline: Pipeline, options: KafkaTriggerOptions, signal: AbortSignal) {
    this.#pipeline = pipeline
    this.#options = options
    this.#signal = AbortSignal.any([signal, this.#broken.signal])
  }

  async run(partitions: readonly number[], goals: ReadonlyMap<number, number | null> | undefined): Promise<void> {
    const { topic, source, handler, listener } = this.#options
    const start = await this.#starts(partitions)
    const end = new Map(
      partitions.map((partition) => [
        partition,
        goals === undefined ? Number.POSITIVE_INFINITY : (goals.get(partition) ?? 0),
      ]),
    )
    const mapping = new EventSourceMapping(this.#pipeline.trigger, topic.topic, start, source)
    const commit = (): void => {
      this.#commits = this.#commits
        .then(() => this.#commit(mapping))
        .catch((error: unknown) => this.#broken.abort(error))
    }
    try {
      await runEventSource(mapping, {
        read: (wanted) => this.#read(mapping, wanted),
        end,
        invoke: (invocation) =>
          handler(mskEvent(invocation, source), localContext(this.#pipeline, this.#invocations++)),
        timeoutMs: LAMBDA_TIMEOUT_MS,
        onDiscarded: (discarded, cause) => {
          const kept = this.#keep(discarded)
          kept.catch((error: unknown) => this.#broken.abort(error))
          this.#kept.push(kept)
          listener.onDiscarded(discarded, cause)
        },
        onEnded: commit,
        signal: this.#signal,
      })
    } finally {
      commit()
      await this.#commits
      listener.onFiltered(mapping.filtered)
    }
    if (this.#broken.signal.aborted) throw this.#broken.signal.reason
  }

  /** Where to begin: where the group has got to, and where the declaration says only when the group is new. */
  async #starts(partitions: readonly number[]): Promise<Map<number, number>> {
    const { topic, startingPosition } = this.#options
    const bounds = await partitionBounds(topic, partitions, startingPosition)
    return new Map(Array.from(bounds, ([partition, each]) => [partition, startingOffset(startingPosition, each)]))
  }

  /** Reads of all leaders side by side. What the world does is waited for. */
  async #read(mapping: EventSourceMapping, wanted: readonly Wanted[]): Promise<readonly Fetched[]> {
    const { topic } = this.#options
    for (let failures = 1; !this.#signal.aborted; failures++) {
      try {
        const byBroker = Map.groupBy(wanted, ({ partition }) => topic.leaderOf(partition))
        const answers = await Promise.all([...byBroker].map(([broker, each]) => topic.read(broker, each)))
        const fetched = answers.flat().flatMap((answer) => (answer.fault === null ? [answer] : []))
        for (const { fault, partition } of answers.flat()) {
          if (fault === 'outOfRange') await this.#restart(mapping, partition)
          else if (fault !== null) await this.#refresh()
        }
        return fetched
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.canRetry) throw error
        await pause(failures, error, this.#options)
        await this.#refresh().catch(() => {})
      }
    }
    return []
  }

  /** The records to go on with are deleted: on with the oldest that are left, as a consumer group does. */
  async #restart(mapping: EventSourceMapping, partition: number): Promise<void> {
    const earliest = await this.#options.topic.offsets('earliest', [partition])
    mapping.reset(partition, earliest.get(partition) ?? 0)
  }

  async #refresh(): Promise<void> {
    const { topic } = this.#options
    if ((await topic.refresh()) !== topic.topicId)
      throw new KafkaError(
        'TOPIC_MISSING',
        `the topic ${topic.topic} was created anew while it was read: begin the next epoch with "inlet epoch", then start again`,
      )
  }

  /** What was given up is durable elsewhere before the group's offset passes it. */
  async #keep(discarded: Discarded): Promise<void> {
    const { failures, source } = this.#options
    if (failures === null) return
    const { key, body } = failureObject(discarded, {
      source,
      functionArn: `arn:aws:lambda:local:000000000000:function:${this.#pipeline.name}`,
      mappingId: '00000000-0000-0000-0000-000000000000',
      requestId: randomUUID(),
      objectId: randomUUID(),
    })
    for (let attempts = 1; ; attempts++) {
      try {
        await failures.put(key, new TextEncoder().encode(body))
        return
      } catch (error) {
        if (!(error instanceof InletError) || !error.canRetry || this.#signal.aborted) throw error
        await pause(attempts, error, this.#options)
      }
    }
  }

  async #commit(mapping: EventSourceMapping): Promise<void> {
    const offsets = new Map(mapping.partitions.map((partition) => [partition, mapping.committed(partition)]))
    await Promise.all(this.#kept)
    for (const [partition, offset] of offsets) if (this.#committed.get(partition) === offset) offsets.delete(partition)
    try {
      await this.#options.topic.group.commit(offsets)
      for (const [partition, offset] of offsets) this.#committed.set(partition, offset)
    } catch (error) {
      // Another has the partition by now, or the next commit says it too: what is delivered again is known to the lake.
      this.#options.listener.onFault(error as Error, 0)
    }
  }
}

/** Waits after so many failures in a row, and says so. */
export async function pause(failures: number, error: Error, { listener, signal }: KafkaTriggerOptions): Promise<void> {
  const milliseconds = retryPause(failures, Math.random())
  listener.onFault(error, milliseconds)
  await sleep(milliseconds, undefined, { signal }).catch(() => {})
}
