/**
 * The consumer that is not Lambda: a member of a consumer group that lands its partitions as one commit each, of large files,
 * whenever a slice is large or old enough.
 *
 * What must hold, whatever the group does, wherever a process dies, and however many believe that a partition is theirs:
 * 1. The commit log is the truth: a partition is read from behind its newest commit, and the group's offset only follows.
 * 2. A slice that has not landed is nothing: it may be dropped at any time, and its records are read again. A commit that
 *    meets another's at its place is dropped so.
 * 3. Memory has a budget. Rows beyond it are spilled to the local disk; when the disk's budget is reached too, nothing is read.
 * 4. What the world does is waited for; what cannot heal ends the process with one message.
 */
import { asInletError } from '#shared/pipeline/errors.ts'
import { KafkaError } from '#shared/sources/kafka-faults.ts'
import { retryPause } from '#shared/sources/kafka-retries.ts'
import { memoryOf, relieveMemory } from './container-relief.ts'
import { GroupOffsets } from './container-offsets.ts'
import type { ContainerOptions } from './container-options.ts'
import { ConsumedPartition, topicReplaced } from './container-partition.ts'
import { Reads } from './container-reads.ts'
import { rotationTime } from './container-rotation.ts'
import type { OpenSlice } from './container-slice.ts'
import { Works } from './container-works.ts'

const TICK_MS = 500
/** How often it is looked whether the topic has got more partitions. */
const REFRESH_MS = 30_000

export class Container {
  readonly #options: ContainerOptions
  readonly #works: Works
  readonly #partitions = new Map<number, ConsumedPartition>()
  readonly #reads: Reads
  readonly #offsets: GroupOffsets
  #isMember = false
  #isJoining = false
  #isPaused = false
  #isStale = false
  #isReplaced = false
  #refreshedAt: number
  #goals: ReadonlyMap<number, number | null> | undefined

  constructor(options: ContainerOptions) {
    this.#options = options
    const { listener, surroundings } = options
    this.#refreshedAt = surroundings.now()
    this.#works = new Works({
      now: surroundings.now,
      pause: (failures) => retryPause(failures, Math.random()),
      canRetry,
      onFault: listener.onFault,
      onHealed: listener.onHealed,
    })
    this.#offsets = new GroupOffsets(options.topic.group, this.#works)
    this.#reads = new Reads({
      topic: options.topic,
      works: this.#works,
      onStale: () => {
        this.#isStale = true
      },
      onOutOfRange: (consumed) => this.#landAndReopen(consumed),
    })
  }

  get partitions(): ReadonlyMap<number, ConsumedPartition> {
    return this.#partitions
  }

  /** Whether it is a member of its group, and nothing waits for something to heal. */
  get isReady(): boolean {
    return this.#isMember && !this.#works.isTroubled
  }

  /** Whether nothing is read because memory or disk is full. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Bytes of the local disk that open slices take. */
  get scratchBytes(): number {
    return this.#options.surroundings.scratch.bytes
  }

  /** Bytes of memory that open slices take, about. */
  get memory(): number {
    return memoryOf(this.#slices())
  }

  /**
   * Reads and lands until it is to stop, and then lands what is open and leaves the group.
   * @throws Error what cannot heal: what is open by then was dropped
   */
  async run(): Promise<void> {
    const { signal, topic, untilEnd } = this.#options
    const wake = (): void => this.#works.wake()
    signal.addEventListener('abort', wake)
    try {
      if (untilEnd) this.#goals = await topic.offsets('latest', topic.partitions)
      while (!signal.aborted && !this.#isReplaced && !this.#isDone()) {
        this.#begin()
        await this.#works.next(TICK_MS)
      }
      await this.#drain()
      await this.#requireSameTopic()
    } finally {
      signal.removeEventListener('abort', wake)
      await this.#leave()
    }
  }

  /** Begins all that can be done now. */
  #begin(): void {
    const { limits, surroundings } = this.#options
    const { now } = surroundings
    if (!this.#isMember && !this.#isJoining) this.#join()
    if (this.#isStale || now() - this.#refreshedAt > REFRESH_MS) this.#works.begin('metadata', () => this.#refresh())
    for (const consumed of this.#partitions.values()) {
      const { slice } = consumed
      if (!consumed.isOpen) this.#works.begin(consumed, () => consumed.open())
      else if (slice?.isBroken) this.#works.begin(consumed, () => consumed.reopen())
      else if (slice !== undefined && (this.#isDrainedOf(consumed) || rotationTime(slice, limits) <= now()))
        this.#works.begin(consumed, () => this.#land(consumed))
    }
    if (this.#isMember) this.#offsets.begin()
    this.#relieveDisk()
    this.#setPaused(this.#isFull())
    if (this.#isPaused || this.#isStale) return
    const all = [...this.#partitions.values()]
    this.#reads.begin(all.filter((consumed) => consumed.isOpen && !this.#isDrainedOf(consumed)))
  }

  #join(): void {
    const { topic, listener } = this.#options
    this.#works.begin('group', async () => {
      this.#isJoining = true
      try {
        await topic.group.join({
          onAssigned: (partitions) => this.#assign(partitions),
          onLost: (error) => {
            this.#isMember = false
            listener.onFault(error, 0)
            this.#works.wake()
          },
        })
        this.#isMember = true
      } finally {
        this.#isJoining = false
      }
    })
  }

  #assign(partitions: readonly number[]): void {
    this.#isMember = true
    for (const [partition, consumed] of this.#partitions) {
      if (partitions.includes(partition)) continue
      this.#partitions.delete(partition)
      this.#offsets.lost(partition)
      this.#works.forget(consumed)
      this.#works.follow(consumed.close())
    }
    for (const partition of partitions) {
      if (this.#partitions.has(partition)) continue
      const { surroundings, topic } = this.#options
      const onGrowth = (): Promise<void> => relieveMemory(this.#slices(), this.#options.limits.memoryBytes)
      this.#partitions.set(partition, new ConsumedPartition(partition, { ...surroundings, topic, onGrowth }))
    }
    this.#options.listener.onAssigned(partitions)
    this.#works.wake()
  }

  async #land(consumed: ConsumedPartition): Promise<void> {
    if (consumed.slice?.isBroken) return consumed.reopen()
    const { listener, surroundings } = this.#options
    const begun = surroundings.now()
    const commit = await consumed.land()
    if (consumed.isClosed) return
    if (commit === undefined) {
      listener.onOvertaken(consumed.partition)
      return
    }
    listener.onLanded(consumed.partition, commit, surroundings.now() - begun)
    this.#offsets.landed(consumed.partition, consumed.done)
  }

  async #landAndReopen(consumed: ConsumedPartition): Promise<void> {
    if (consumed.slice !== undefined) await this.#land(consumed)
    await consumed.reopen()
  }

  /** Asks who leads what, after something has moved and now and then, and whether the topic is still the same. */
  async #refresh(): Promise<void> {
    const { topic, surroundings } = this.#options
    const { length } = topic.partitions
    this.#isReplaced = (await topic.refresh()) !== topic.topicId
    this.#isStale = false
    this.#refreshedAt = surroundings.now()
    // A member that joins again has the group share out partitions that were added.
    if (topic.partitions.length > length) this.#isMember = false
  }

  /** Lands the largest slice when the disk is full, or memory is and nothing is left to spill. */
  #relieveDisk(): void {
    if (!this.#isFull()) return
    const open = [...this.#partitions.values()].filter(
      (consumed) => consumed.slice !== undefined && !this.#works.isBusy(consumed),
    )
    const [largest] = open.sort((a, b) => (b.slice?.size ?? 0) - (a.slice?.size ?? 0))
    if (largest !== undefined) this.#works.begin(largest, () => this.#land(largest))
  }

  #slices(): OpenSlice[] {
    return [...this.#partitions.values()].flatMap(({ slice }) => slice ?? [])
  }

  #isFull(): boolean {
    const { limits, surroundings } = this.#options
    return surroundings.scratch.bytes >= limits.scratchBytes || this.memory >= limits.memoryBytes
  }

  #setPaused(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    this.#options.listener.onPaused(isPaused)
  }

  /** Everything that was there at the beginning was read. */
  #isDrainedOf({ isOpen, partition, position }: ConsumedPartition): boolean {
    return this.#goals !== undefined && isOpen && position >= (this.#goals.get(partition) ?? 0)
  }

  #isDone(): boolean {
    if (this.#goals === undefined || !this.#isMember) return false
    const all = [...this.#partitions.values()]
    return all.every((consumed) => this.#isDrainedOf(consumed) && consumed.slice === undefined)
  }

  /** Lands what is open, as long as there is time for it: until it works when the records cannot be read again. */
  async #drain(): Promise<void> {
    const { limits, surroundings, listener, signal } = this.#options
    const isLast = this.#isReplaced && !signal.aborted
    const end = surroundings.now() + (isLast ? Number.POSITIVE_INFINITY : limits.drainMs)
    const isOpen = (): ConsumedPartition[] => [...this.#partitions.values()].filter(({ slice }) => slice !== undefined)
    // The group of a topic that is gone takes no offsets.
    const isTold = (): boolean => isLast || !this.#isMember || this.#offsets.isTold
    while ((isOpen().length > 0 || !isTold()) && surroundings.now() < end) {
      for (const consumed of isOpen()) this.#works.begin(consumed, () => this.#land(consumed))
      if (!isTold()) this.#offsets.begin()
      await this.#works.next(Math.min(TICK_MS, end - surroundings.now()))
    }
    const left = isOpen()
    const records = left.reduce((sum, { slice }) => sum + (slice?.counts.records ?? 0), 0)
    if (left.length > 0) listener.onDropped(left.length, records)
  }

  async #requireSameTopic(): Promise<void> {
    if (!this.#isReplaced) return
    const { topic, surroundings } = this.#options
    throw await topicReplaced(surroundings.store, surroundings.source, topic.partitions[0] ?? 0)
  }

  async #leave(): Promise<void> {
    const { topic, listener } = this.#options
    await this.#works.settled()
    for (const consumed of this.#partitions.values()) await consumed.close()
    this.#partitions.clear()
    if (this.#isMember) await topic.group.leave().catch((error: unknown) => listener.onFault(error as Error, 0))
    this.#isMember = false
  }
}

/** Whether what went wrong can heal. A topic that was deleted may come again: as another one, which ends it all. */
function canRetry(error: unknown): boolean {
  if (error instanceof KafkaError) return error.canRetry || error.fault === 'TOPIC_MISSING'
  return asInletError(error, 'consuming').canRetry
}
