import { type KafkaRecord, positionOf } from '#shared/pipeline/record.ts'
import type { Batch } from './batch.ts'
import { frameBytes, groupBytes, recordBytes } from './msk-event.ts'

/** Records of a partition that were read from the topic. */
export interface Fetched {
  readonly partition: number
  /** The offset that was asked for. */
  readonly from: number
  /** From there on, in offset order. */
  readonly records: readonly KafkaRecord[]
  /** The offset to go on at; behind the last record unless given (compaction and transactions leave none at some). */
  readonly next?: number
}

/** What the mapping would read next of a partition. */
export interface Wanted {
  readonly partition: number
  readonly from: number
  readonly atMost: number
}

/** A record that was fetched and is in no batch yet. */
interface Waiting {
  readonly record: KafkaRecord
  /** Of the record in an event, without its comma. */
  readonly bytes: number
}

/** One Kafka partition on its way through a trigger: fetched records wait here, in offset order, for a batch. */
export class PartitionQueue {
  readonly partition: number
  /** The offset to fetch from. */
  position: number
  poller: number
  /** What is not settled, in the order in which it is to be delivered: the first one alone may be under way. */
  batches: Batch[] = []
  /** Of all the records that wait. */
  bytes = 0
  /** Of an event's group of records of this partition, without any. */
  readonly groupBytes: number
  readonly #frameBytes: number
  #waiting: Waiting[] = []
  #taken = 0

  constructor(topic: string, partition: number, position: number, poller: number) {
    this.partition = partition
    this.position = position
    this.poller = poller
    this.groupBytes = groupBytes(topic, partition)
    this.#frameBytes = frameBytes(topic)
  }

  get length(): number {
    return this.#waiting.length - this.#taken
  }

  /** All records below are settled: a poller that takes over begins here. */
  get committed(): number {
    let lowest = this.first?.record.offset ?? this.position
    for (const { slices } of this.batches) {
      const [record] = slices.get(this.partition) ?? []
      if (record !== undefined) lowest = Math.min(lowest, record.offset)
    }
    return lowest
  }

  /** A batch of it is not settled: nothing behind it may be delivered. */
  get isBlocked(): boolean {
    return this.batches.length > 0
  }

  get first(): Waiting | undefined {
    return this.#waiting[this.#taken]
  }

  /**
   * Puts records that are wanted behind those that wait.
   * @returns how many were not wanted
   * @throws RangeError when they are not in offset order: then nothing that follows could be trusted
   */
  take({ from, records, next }: Omit<Fetched, 'partition'>, isWanted: (record: KafkaRecord) => boolean): number {
    let unwanted = 0
    for (const record of records) {
      if (record.offset < this.position)
        throw new RangeError(`${positionOf(record)}: records come in offset order, from ${this.position} on`)
      this.position = record.offset + 1
      if (isWanted(record)) this.#add(record, recordBytes(record, this.#frameBytes))
      else unwanted += 1
    }
    this.position = Math.max(this.position, next ?? from)
    return unwanted
  }

  #add(record: KafkaRecord, bytes: number): void {
    this.#waiting.push({ record, bytes })
    this.bytes += bytes
  }

  /** Takes the first record out. */
  shift(): void {
    this.bytes -= this.first?.bytes ?? 0
    this.#taken += 1
    // Taken records are let go of in large steps: moving those behind them each time would cost more.
    if (this.#taken < this.#waiting.length / 2) return
    this.#waiting = this.#waiting.slice(this.#taken)
    this.#taken = 0
  }

  /** Forgets what was fetched and is in no batch, to begin again at an offset. */
  restart(offset: number): void {
    this.position = offset
    this.bytes = 0
    this.#waiting = []
    this.#taken = 0
  }
}
