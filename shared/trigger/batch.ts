import type { KafkaRecord, PartitionRecords } from '#shared/pipeline/record.ts'

/** A batch that a function is invoked with: one attempt. */
export interface Invocation {
  /** Unique among those of one event source mapping. */
  readonly id: number
  /** 1 for the first delivery of these records, as far as this poller knows. */
  readonly attempt: number
  /** Which poller invokes, from 0. */
  readonly poller: number
  /** The records by Kafka partition, each in offset order. */
  readonly partitions: readonly PartitionRecords[]
}

/** Records that are delivered, retried and given up together. Its partitions wait for it. */
export class Batch {
  readonly poller: number
  /** What is not settled yet, by partition, in offset order. */
  readonly slices: Map<number, readonly KafkaRecord[]>
  /** Begun invocations, those of the batch that it was split from included. */
  invocations: number
  /** Failures that count against the limit of retries. */
  retries: number
  /** Failures of any kind in a row, which the next attempt waits for. */
  setbacks: number
  /** When it may be delivered (again), in milliseconds. */
  notBefore = Number.NEGATIVE_INFINITY
  /** The attempt under way. */
  live: Invocation | undefined

  /** @param origin the batch that it was split from */
  constructor(poller: number, slices: Map<number, readonly KafkaRecord[]>, origin?: Batch) {
    this.poller = poller
    this.slices = slices
    this.invocations = origin?.invocations ?? 0
    this.retries = origin?.retries ?? 0
    this.setbacks = origin?.setbacks ?? 0
  }

  get size(): number {
    let size = 0
    for (const records of this.slices.values()) size += records.length
    return size
  }

  /** Two batches of half the records each, in the order of partitions and offsets. @returns undefined when one is left */
  halves(): [Batch, Batch] | undefined {
    const { size } = this
    if (size < 2) return undefined
    const first = new Map<number, readonly KafkaRecord[]>()
    const second = new Map<number, readonly KafkaRecord[]>()
    let room = size >> 1
    for (const [partition, records] of this.slices) {
      const [here, there] = [records.slice(0, room), records.slice(room)]
      if (here.length > 0) first.set(partition, here)
      if (there.length > 0) second.set(partition, there)
      room -= here.length
    }
    return [new Batch(this.poller, first, this), new Batch(this.poller, second, this)]
  }
}
