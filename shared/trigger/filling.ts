import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { PAYLOAD_BYTES } from '#shared/pipeline/trigger.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** The limits of a batch, and what its event has always. */
export interface BatchLimits {
  readonly batchSize: number
  readonly windowMs: number
  /** Of an event without records. */
  readonly envelopeBytes: number
}

/** A batch that is being filled, queue by queue, to the limits of an invocation. */
export class Filling {
  readonly slices = new Map<number, readonly KafkaRecord[]>()
  /** Records that not even an event of their own can hold. */
  readonly oversize = new Map<number, readonly KafkaRecord[]>()
  /** Records that are not to be delivered any more. */
  readonly expired = new Map<number, readonly KafkaRecord[]>()
  readonly #isExpired: (record: KafkaRecord) => boolean
  readonly #envelopeBytes: number
  #room: number
  #bytes: number

  constructor({ batchSize, envelopeBytes }: BatchLimits, isExpired: (record: KafkaRecord) => boolean) {
    this.#isExpired = isExpired
    this.#envelopeBytes = envelopeBytes
    this.#room = batchSize
    this.#bytes = envelopeBytes
  }

  /**
   * Takes as many records out of a queue as there is room for.
   * @returns false when the batch is full
   */
  drain(queue: PartitionQueue): boolean {
    const [records, oversize, expired]: [KafkaRecord[], KafkaRecord[], KafkaRecord[]] = [[], [], []]
    const most = PAYLOAD_BYTES - this.#envelopeBytes - queue.groupBytes
    let isFull = false
    for (let first = queue.first; first !== undefined && !isFull; first = queue.first) {
      const { record, bytes } = first
      if (this.#isExpired(record)) expired.push(record)
      else if (bytes > most) oversize.push(record)
      else if (this.#fits(bytes, queue, records.length === 0)) records.push(record)
      else isFull = true
      if (!isFull) queue.shift()
    }
    if (records.length > 0) this.slices.set(queue.partition, records)
    if (oversize.length > 0) this.oversize.set(queue.partition, oversize)
    if (expired.length > 0) this.expired.set(queue.partition, expired)
    return !isFull
  }

  #fits(bytes: number, queue: PartitionQueue, isFirst: boolean): boolean {
    const comma = isFirst && this.slices.size === 0 ? 0 : 1
    const size = this.#bytes + bytes + comma + (isFirst ? queue.groupBytes : 0)
    if (this.#room === 0 || size > PAYLOAD_BYTES) return false
    this.#room -= 1
    this.#bytes = size
    return true
  }
}
