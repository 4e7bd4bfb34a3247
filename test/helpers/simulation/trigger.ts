import type { LandMode } from '#shared/lake/commit-log.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { Random } from './random.ts'
import type { Code, TopicPartition } from './topic.ts'

/** Records that a function is invoked with. */
export interface Delivery {
  readonly what: 'batch' | 'half' | 'stray' | 'replay' | 'redrive'
  readonly records: readonly KafkaRecord[]
  readonly mode: LandMode
  readonly code: Code
}

const LONGEST_BATCH = 12

/**
 * The trigger of one Kafka partition, as Lambda's: it waits for one batch at a time and goes on behind it once that was
 * answered. A batch that fails is polled again, with other boundaries. What else it may do, the world asks it to do.
 */
export class Trigger {
  readonly topic: TopicPartition
  /** Records that went to the failure destination. */
  readonly discarded = new Set<KafkaRecord>()
  /** Records that the event filter held back; they are replayed when the filter is gone. */
  readonly filtered = new Set<KafkaRecord>()
  readonly #random: Random
  readonly #filters: number
  #position = 0
  #batch: { readonly delivery: Delivery; readonly end: number } | undefined
  /** Halves of bisected batches that are not answered; those that wait for an invocation. */
  readonly #halves = new Set<Delivery>()
  readonly #waiting: Delivery[] = []

  constructor(topic: TopicPartition, random: Random) {
    this.topic = topic
    this.#random = random
    this.#filters = random.chance(0.3) ? 0.3 : 0
  }

  get isDone(): boolean {
    return this.#position === this.topic.records.length && this.#halves.size === 0
  }

  /** What to invoke a function with now. */
  next(): Delivery | undefined {
    const half = this.#waiting.shift()
    if (half !== undefined) return half
    const { records } = this.topic
    while (this.#batch === undefined && this.#position < records.length) {
      const end = Math.min(this.#position + this.#random.between(1, LONGEST_BATCH), records.length)
      const wanted = this.#pastFilter(records.slice(this.#position, end))
      if (wanted.length > 0) {
        this.#batch = { delivery: deliver('batch', wanted), end }
        return this.#batch.delivery
      }
      this.#position = end
    }
    return undefined
  }

  /** Whether this is the batch that the poller waits for. */
  awaits(delivery: Delivery): boolean {
    return this.#batch?.delivery === delivery
  }

  answered(delivery: Delivery): void {
    this.#halves.delete(delivery)
    if (this.awaits(delivery)) this.#goOn()
  }

  /** An error, or no answer at all. */
  failed(delivery: Delivery): void {
    if (this.#halves.has(delivery)) this.#waiting.push(delivery)
    if (this.awaits(delivery)) this.handOver()
  }

  /** Another poller takes the partition over and begins where the last answer was. The invocation may live on. */
  handOver(): void {
    this.#batch = undefined
  }

  /** Retries are exhausted: the batch goes to the failure destination. */
  discard(): void {
    for (const record of this.#batch?.delivery.records ?? []) this.discarded.add(record)
    this.#goOn()
  }

  /** The batch is delivered again as two halves, in either order and side by side. */
  bisect(): void {
    const records = this.#batch?.delivery.records ?? []
    const middle = records.length >> 1
    for (const half of this.#random.shuffled([records.slice(0, middle), records.slice(middle)])) {
      if (half.length === 0) continue
      const delivery = deliver('half', half)
      this.#halves.add(delivery)
      this.#waiting.push(delivery)
    }
    this.#goOn()
  }

  /** Records that were delivered before, by a poller that is behind. */
  stray(): Delivery | undefined {
    const from = this.#random.between(0, this.#position)
    const records = this.topic.records.slice(from, Math.min(from + this.#random.between(1, 10), this.#position))
    const wanted = records.filter((record) => !this.filtered.has(record))
    return wanted.length === 0 ? undefined : deliver('stray', wanted)
  }

  /** Some of the records that somebody may want to redrive by now, whatever has become of them since. */
  redrive(code: Code): Delivery | undefined {
    const { records } = this.topic
    const candidates = records.slice(0, this.#position).filter((record) => this.mayBeRedriven(record))
    const from = this.#random.between(0, candidates.length)
    const some = candidates.slice(from, from + this.#random.between(1, 5))
    return some.length === 0 ? undefined : { what: 'redrive', records: some, mode: 'redrive', code }
  }

  mayBeRedriven(record: KafkaRecord): boolean {
    return this.discarded.has(record) || this.topic.outcomeOf(record, 'deployed') === 'rejected'
  }

  #goOn(): void {
    this.#position = this.#batch?.end ?? this.#position
    this.#batch = undefined
  }

  #pastFilter(records: readonly KafkaRecord[]): readonly KafkaRecord[] {
    if (this.#random.chance(this.#filters))
      for (const record of records) if (this.#random.chance(0.4)) this.filtered.add(record)
    return records.filter((record) => !this.filtered.has(record))
  }
}

function deliver(what: Delivery['what'], records: readonly KafkaRecord[]): Delivery {
  return { what, records, mode: 'deliver', code: 'deployed' }
}
