import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import { Batch, type Invocation } from './batch.ts'
import { type BatchAnswer, isToRetry, type PartialReading, readAnswer } from './batch-answer.ts'
import { compileFilters } from './event-filter.ts'
import type { DiscardCondition, Discarded } from './failure-destination.ts'
import type { BatchLimits } from './filling.ts'
import { envelopeBytes, type KafkaSource } from './msk-event.ts'
import { OpenBatches, partitionsOf } from './open-batches.ts'
import { type Fetched, PartitionQueue, type Wanted } from './partition-queue.ts'
import { Poller } from './poller.ts'
import { Retries, type Time } from './retries.ts'

/** Invocations of one poller at a time ("Apache Kafka event poller scaling modes in Lambda"; on demand, one after another). */
const CONCURRENCY: Record<Trigger['mode'], number> = { 'on-demand': 1, provisioned: 5 }

/** What Lambda's pages leave open, or leave to Lambda. */
export interface MappingOptions {
  /** Pollers at the beginning: 1, or the declared minimum. Never more than partitions. */
  readonly pollers?: number
  /** How a partial answer is read; `named` unless said otherwise. */
  readonly partialReading?: PartialReading
  /** Asked at each split batch: whether its second half is delivered first. Never, unless given. */
  readonly secondHalfFirst?: () => boolean
  /** Milliseconds to wait after so many failures in a row. By default 1 s, doubled each time, and 60 s at the most. */
  readonly backoff?: (setbacks: number) => number
}

/**
 * Lambda's event source mapping for a Kafka topic, as a machine without clock, timers and network: it is told the time, what
 * was read, and what became of invocations, and says what to read and what to invoke.
 *
 * Each poller reads some of the partitions and gathers batches of them (`Poller`). A batch under way, or failed and waiting
 * for its next attempt, blocks its partitions and no others: so a partition is delivered in order, and never twice at a
 * time, unless a poller hands it over. Every record is delivered until an invocation succeeds, or given up.
 */
export class EventSourceMapping {
  readonly #trigger: Trigger
  readonly #topic: string
  readonly #limits: BatchLimits
  readonly #retries: Retries
  readonly #concurrency: number
  readonly #options: MappingOptions
  readonly #isWanted: (record: KafkaRecord) => boolean
  readonly #queues = new Map<number, PartitionQueue>()
  #pollers: readonly Poller[] = []
  readonly #batches = new OpenBatches(this.#queues)
  readonly #live = new Map<number, Batch>()
  #discarded: Discarded[] = []
  #invocations = 0
  #filtered = 0

  /** @param start the offset to begin at of each Kafka partition (see `startingOffset`) */
  constructor(
    trigger: Trigger,
    topic: string,
    start: ReadonlyMap<number, number>,
    source: KafkaSource,
    options: MappingOptions = {},
  ) {
    this.#trigger = trigger
    this.#topic = topic
    this.#options = options
    const { batchSize, batchingWindowSeconds } = trigger
    const windowMs = batchingWindowSeconds * 1000
    this.#limits = { batchSize, windowMs, envelopeBytes: envelopeBytes(source) }
    this.#retries = new Retries(trigger, options.backoff)
    this.#concurrency = CONCURRENCY[trigger.mode]
    this.#isWanted = compileFilters(trigger.filters)
    for (const [partition, offset] of start)
      this.#queues.set(partition, new PartitionQueue(topic, partition, offset, 0))
    this.#assign(options.pollers ?? trigger.pollers?.minimum ?? 1)
  }

  /** Kafka partitions, in ascending order. */
  get partitions(): number[] {
    return [...this.#queues.keys()].sort((a, b) => a - b)
  }

  /** Records that no filter let through, each as often as it was read. */
  get filtered(): number {
    return this.#filtered
  }

  /** Nothing waits and nothing is under way: all that was offered is settled. */
  get isIdle(): boolean {
    return this.#batches.size === 0 && [...this.#queues.values()].every((queue) => queue.length === 0)
  }

  /** The offset that a poller would begin at that took the partition over: everything below it is settled. */
  committed(partition: number): number {
    return this.#queueOf(partition).committed
  }

  /** Which poller reads a partition. */
  pollerOf(partition: number): number {
    return this.#queueOf(partition).poller
  }

  /** What to read next. A poller keeps about two batches at hand; nothing is read behind a batch that is not settled. */
  wanted(): Wanted[] {
    return this.#pollers.flatMap((poller) => poller.wanted())
  }

  /**
   * Takes what was read. Nothing is taken that was asked for before the partition was handed over or reset.
   * @returns whether it was taken
   */
  offer(fetched: Fetched): boolean {
    const queue = this.#queueOf(fetched.partition)
    if (queue.position !== fetched.from) return false
    this.#filtered += queue.take(fetched, this.#isWanted)
    return true
  }

  /** The invocations to begin now. Call it after whatever was told, and when `dueAt` says so. */
  due(now: Time): Invocation[] {
    const begun: Invocation[] = []
    for (const batch of this.#batches.next()) {
      const expired = this.#batches.keepOnly(batch, (record) => !this.#retries.isExpired(record, now))
      this.#giveUp('RecordAgeExceeded', expired, batch.invocations, now)
      if (batch.slices.size > 0 && batch.notBefore <= now && this.#hasRoom(this.#pollerOf(batch)))
        begun.push(this.#begin(batch))
    }
    for (const poller of this.#pollers) {
      while (this.#hasRoom(poller) && (poller.dueAt(now) ?? Number.POSITIVE_INFINITY) <= now) {
        const { slices, oversize, expired } = poller.gather((record) => this.#retries.isExpired(record, now))
        this.#giveUp('MaximumPayloadSizeExceeded', oversize, 0, now)
        this.#giveUp('RecordAgeExceeded', expired, 0, now)
        if (slices.size === 0) continue
        const batch = new Batch(poller.index, slices)
        this.#batches.add(batch)
        begun.push(this.#begin(batch))
      }
    }
    return begun
  }

  /** When `due` would have something to do because of the time alone. @returns undefined when nothing waits for the time */
  dueAt(now: Time): Time | undefined {
    const times: number[] = []
    for (const batch of this.#batches.next()) {
      if (this.#hasRoom(this.#pollerOf(batch))) times.push(batch.notBefore)
      times.push(this.#retries.expiryOf(batch))
    }
    for (const poller of this.#pollers) {
      const time = this.#hasRoom(poller) ? poller.dueAt(now) : undefined
      if (time !== undefined) times.push(time)
    }
    const first = Math.min(...times)
    return first === Number.POSITIVE_INFINITY ? undefined : first
  }

  /** A function answered. What it was invoked with and has been handed over since is none of its business any more. */
  answered(invocation: Invocation, payload: unknown, now: Time): void {
    const batch = this.#end(invocation, now)
    if (batch === undefined) return
    const answer: BatchAnswer = this.#trigger.partialResponses
      ? readAnswer(payload, invocation.partitions)
      : { kind: 'success' }
    if (answer.kind === 'success') this.#batches.settle(batch)
    if (answer.kind === 'partial')
      this.#batches.keepOnly(batch, isToRetry(answer.failed, this.#options.partialReading ?? 'named'))
    if (batch.slices.size > 0) this.#retry(batch, now)
  }

  /** A function failed, was cut off, or (throttled) was not reached, which counts against nothing. */
  failed(invocation: Invocation, why: 'error' | 'timeout' | 'throttled', now: Time): void {
    const batch = this.#end(invocation, now)
    if (batch === undefined) return
    const halves = this.#trigger.bisectBatchOnError ? batch.halves() : undefined
    if (why === 'throttled') this.#retries.delay(batch, now)
    else if (halves === undefined) this.#retry(batch, now)
    else this.#split(batch, halves, now)
  }

  /** Another poller takes a partition over, from its committed offset. What was invoked lives on, and nobody listens. */
  handOver(partition: number): void {
    this.#restart(partition, this.committed(partition))
  }

  /** Somebody sets the consumer group's offset of a partition. */
  reset(partition: number, offset: number): void {
    this.#restart(partition, offset)
  }

  /** Adds pollers or removes some, as far as the trigger allows; partitions that change their poller are handed over. */
  scale(pollers: number): void {
    this.#assign(pollers)
  }

  /** The records that have been given up since this was last asked. */
  takeDiscarded(): Discarded[] {
    const discarded = this.#discarded
    this.#discarded = []
    return discarded
  }

  #begin(batch: Batch): Invocation {
    const partitions = partitionsOf(this.#topic, batch.slices)
    batch.invocations += 1
    const id = this.#invocations++
    const invocation = { id, attempt: batch.invocations, poller: batch.poller, partitions }
    batch.live = invocation
    this.#live.set(id, batch)
    this.#pollerOf(batch).live += 1
    return invocation
  }

  /** @returns the batch that was waiting for it; undefined when all of it was handed over */
  #end({ id }: Invocation, now: Time): Batch | undefined {
    const batch = this.#live.get(id)
    if (batch === undefined) return undefined
    this.#live.delete(id)
    batch.live = undefined
    this.#pollerOf(batch).ended(now)
    return batch
  }

  #retry(batch: Batch, now: Time): void {
    if (this.#retries.takeOne(batch)) this.#retries.delay(batch, now)
    else {
      this.#giveUp('RetryAttemptsExhausted', batch.slices, batch.invocations, now)
      this.#batches.settle(batch)
    }
  }

  /** Two halves take the place of a batch. That costs no retry (as with streams; the pages on Kafka do not say). */
  #split(batch: Batch, halves: readonly [Batch, Batch], now: Time): void {
    const ordered = this.#options.secondHalfFirst?.() === true ? halves.toReversed() : halves
    this.#batches.replace(batch, ordered)
    for (const half of ordered) this.#retries.delay(half, now)
  }

  #giveUp(
    condition: DiscardCondition,
    slices: ReadonlyMap<number, readonly KafkaRecord[]>,
    invocations: number,
    at: Time,
  ): void {
    if (slices.size === 0) return
    this.#discarded.push({ condition, partitions: partitionsOf(this.#topic, slices), invocations, at })
  }

  #restart(partition: number, offset: number): void {
    const queue = this.#queueOf(partition)
    for (const batch of this.#batches.forget(partition)) {
      if (batch.live === undefined) continue
      this.#live.delete(batch.live.id)
      this.#pollerOf(batch).live -= 1
    }
    queue.restart(offset)
  }

  /** Spreads the partitions over so many pollers as the trigger and the topic allow. */
  #assign(pollers: number): void {
    const { minimum, maximum } = this.#trigger.pollers ?? { minimum: 1, maximum: Number.POSITIVE_INFINITY }
    const allowed = Math.min(Math.max(minimum, pollers), maximum)
    const count = Math.max(1, Math.min(allowed, this.#queues.size))
    const queues = this.partitions.map((partition) => this.#queueOf(partition))
    for (const [i, queue] of queues.entries()) {
      if (queue.poller === i % count) continue
      this.handOver(queue.partition)
      queue.poller = i % count
    }
    this.#pollers = Array.from({ length: count }, (_, i) => this.#pollers[i] ?? new Poller(i, this.#limits))
    for (const poller of this.#pollers) poller.queues = queues.filter((queue) => queue.poller === poller.index)
  }

  #hasRoom(poller: Poller): boolean {
    return poller.live < this.#concurrency
  }

  #pollerOf({ poller }: Batch): Poller {
    return this.#pollers[poller] as Poller
  }

  #queueOf(partition: number): PartitionQueue {
    const queue = this.#queues.get(partition)
    if (queue === undefined) throw new RangeError(`${this.#topic} has no partition ${partition}`)
    return queue
  }
}
