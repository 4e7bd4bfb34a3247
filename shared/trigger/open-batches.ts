import type { KafkaRecord, PartitionRecords } from '#shared/pipeline/record.ts'
import type { Batch } from './batch.ts'
import type { PartitionQueue } from './partition-queue.ts'

/**
 * The batches that are not settled. Each is in the list of every partition that it has records of: the first of a list may
 * be under way, the others wait behind it. A list has more than one only after a split, and then in the same order as the
 * lists of other partitions: so no two batches wait for one another.
 */
export class OpenBatches {
  readonly #queues: ReadonlyMap<number, PartitionQueue>
  /** In the order in which they came to be. */
  readonly #batches = new Set<Batch>()

  constructor(queues: ReadonlyMap<number, PartitionQueue>) {
    this.#queues = queues
  }

  get size(): number {
    return this.#batches.size
  }

  /** Adds a batch of partitions that have none. */
  add(batch: Batch): void {
    this.#batches.add(batch)
    for (const queue of this.#queuesOf(batch)) queue.batches = [batch]
  }

  /** Those that may be delivered (again), as far as their partitions are concerned. */
  next(): Batch[] {
    return [...this.#batches].filter(
      (batch) => batch.live === undefined && this.#queuesOf(batch).every(({ batches }) => batches[0] === batch),
    )
  }

  /** A batch is done with: its partitions go on. */
  settle(batch: Batch): void {
    for (const partition of batch.slices.keys()) this.#release(batch, partition)
  }

  /** Takes records out of a batch; partitions of which none is left go on. @returns what was taken out */
  keepOnly(batch: Batch, isLeft: (record: KafkaRecord) => boolean): Map<number, readonly KafkaRecord[]> {
    const taken = new Map<number, readonly KafkaRecord[]>()
    for (const [partition, records] of batch.slices) {
      const left = records.filter(isLeft)
      if (left.length < records.length)
        taken.set(
          partition,
          records.filter((record) => !isLeft(record)),
        )
      if (left.length > 0) batch.slices.set(partition, left)
      else this.#release(batch, partition)
    }
    return taken
  }

  /** Puts other batches in the place of one, in the order in which they are to be delivered. */
  replace(batch: Batch, others: readonly Batch[]): void {
    this.#batches.delete(batch)
    for (const other of others) this.#batches.add(other)
    for (const queue of this.#queuesOf(batch)) {
      const inPlace = others.filter(({ slices }) => slices.has(queue.partition))
      queue.batches = queue.batches.flatMap((each) => (each === batch ? inPlace : [each]))
    }
  }

  /** Takes a partition out of all batches. @returns those of which nothing is left */
  forget(partition: number): Batch[] {
    const batches = this.#queues.get(partition)?.batches ?? []
    for (const batch of batches) this.#release(batch, partition)
    return batches.filter(({ slices }) => slices.size === 0)
  }

  #release(batch: Batch, partition: number): void {
    batch.slices.delete(partition)
    if (batch.slices.size === 0) this.#batches.delete(batch)
    const queue = this.#queues.get(partition)
    if (queue !== undefined) queue.batches = queue.batches.filter((each) => each !== batch)
  }

  #queuesOf({ slices }: Batch): PartitionQueue[] {
    return [...slices.keys()].map((partition) => this.#queues.get(partition) as PartitionQueue)
  }
}

/** Records by partition, as events and failure records hold them. */
export function partitionsOf(topic: string, slices: ReadonlyMap<number, readonly KafkaRecord[]>): PartitionRecords[] {
  return [...slices].map(([partition, records]) => ({ topic, partition, records }))
}
