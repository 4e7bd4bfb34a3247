import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { PAYLOAD_BYTES } from '#shared/pipeline/trigger.ts'
import { type BatchLimits, Filling } from './filling.ts'
import type { PartitionQueue, Wanted } from './partition-queue.ts'

/** One consumer of a consumer group: it reads some of the topic's partitions, and gathers batches of them. */
export class Poller {
  readonly index: number
  queues: readonly PartitionQueue[] = []
  /** Invocations under way that it waits for. */
  live = 0
  readonly #limits: BatchLimits
  /** When its last invocation ended, if none has begun since. */
  #idleSince: number | undefined
  /** When the window began that collects what waits now. */
  #window: number | undefined
  /** The queue that is asked first for the next batch. */
  #turn = 0

  constructor(index: number, limits: BatchLimits) {
    this.index = index
    this.#limits = limits
  }

  /** To be told when an invocation is over. */
  ended(now: number): void {
    this.live -= 1
    this.#idleSince = now
  }

  /** What to read next: about two batches are kept at hand, and nothing is read behind a batch that is not settled. */
  wanted(): Wanted[] {
    const open = this.queues.filter((queue) => !queue.isBlocked)
    const records = open.reduce((sum, queue) => sum + queue.length, 0)
    const bytes = open.reduce((sum, queue) => sum + queue.bytes, 0)
    const room = 2 * this.#limits.batchSize - records
    if (room <= 0 || bytes >= 2 * PAYLOAD_BYTES) return []
    const atMost = Math.ceil(room / open.length)
    return open.map(({ partition, position }) => ({ partition, from: position, atMost }))
  }

  /** When the records that wait are due, unless more of them come. @returns undefined when none waits */
  dueAt(now: number): number | undefined {
    const ready = this.#ready()
    if (ready.length === 0) {
      this.#window = undefined
      return undefined
    }
    // A window begins when an invocation ends, as the developer guide has it, and with the first record behind an idle one.
    const { windowMs } = this.#limits
    const isIdle = this.#idleSince === undefined || now >= this.#idleSince + windowMs
    this.#window ??= isIdle ? now : (this.#idleSince ?? now)
    return this.#isFull(ready) ? this.#window : this.#window + windowMs
  }

  /** Fills a batch with what waits: queue by queue in turn, from each as much as there is room for. */
  gather(isExpired: (record: KafkaRecord) => boolean): Filling {
    const filling = new Filling(this.#limits, isExpired)
    const inTurn = [...this.queues.slice(this.#turn), ...this.queues.slice(0, this.#turn)]
    for (const queue of inTurn.filter((each) => !each.isBlocked)) {
      const hasRoom = filling.drain(queue)
      if (filling.slices.has(queue.partition)) this.#turn = (this.queues.indexOf(queue) + 1) % this.queues.length
      if (!hasRoom) break
    }
    this.#window = undefined
    this.#idleSince = undefined
    return filling
  }

  #ready(): PartitionQueue[] {
    return this.queues.filter((queue) => !queue.isBlocked && queue.length > 0)
  }

  #isFull(ready: readonly PartitionQueue[]): boolean {
    const { batchSize, envelopeBytes } = this.#limits
    let records = 0
    let bytes = envelopeBytes - 1
    for (const queue of ready) {
      records += queue.length
      // A comma behind each record but the last of a partition, and behind each group but the last.
      bytes += queue.groupBytes + queue.bytes + queue.length
    }
    return records >= batchSize || bytes > PAYLOAD_BYTES
  }
}
