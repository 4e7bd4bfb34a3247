import { Producer } from '@platformatic/kafka'
import type { RecordHeader } from '#shared/pipeline/record.ts'
import { clientOptions, type KafkaConnection } from './kafka-connection.ts'
import { KafkaError, kafkaError } from './kafka-faults.ts'
import { type RetryOptions, retried, retryPause } from './kafka-retries.ts'
import { partitionOfKey } from './murmur2.ts'
import { RecordBatch } from './record-batch.ts'

/** A record to be sent. Without a key it goes to any partition. */
export interface NewRecord {
  readonly key: Uint8Array | null
  /** `null` is a tombstone. */
  readonly value: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
}

/** Where a record is that was sent. */
export interface Position {
  readonly partition: number
  readonly offset: number
}

/** Records are collected so long, or until they are a full batch. */
const LINGER_MS = 10
/** Bytes of a full batch: large enough to be compressed well, and below every limit that a topic is likely to have. */
const BATCH_BYTES = 256 * 1024
const SMALLEST_BATCH_BYTES = 16 * 1024
/** What waits to be acknowledged; who sends more waits for `room`. */
const BUFFER_BYTES = 32 * 1024 * 1024
/** A batch is tried again so long: as Java's `delivery.timeout.ms`, longer than any change of leaders. */
const DELIVERY_MS = 120_000
/** Tries within the client, with the same sequence number, so that the broker knows what it has: some 30 s of them. */
const CLIENT_RETRIES = 30
const LONGEST_CLIENT_PAUSE_MS = 1000
/** What a broker takes in one request, unless it is told otherwise (`socket.request.max.bytes`). */
const REQUEST_BYTES = 100 * 1024 * 1024
/** Batches that are on their way at a time, each with a client of its own. */
const LANES = 4

/**
 * Sends records to one topic. All replicas in sync have a record before it counts as sent; records of a partition keep their
 * order; what the brokers do not take is tried again for two minutes, then told, never dropped. A leader that dies costs
 * no acknowledged record; a record that the client gave up and we sent again may be there twice.
 */
export class TopicProducer {
  readonly topic: string
  readonly #cannot: string
  readonly #retries: RetryOptions
  readonly #lanes: readonly Lane[]
  readonly #open = new Map<number, RecordBatch>()
  readonly #abandoned = new AbortController()
  readonly #waiting: (() => void)[] = []
  #partitions: number
  #batchBytes = BATCH_BYTES
  #buffered = 0
  /** The partition of records without a key: they fill a batch of one, then of the next. */
  #keyless = 0

  private constructor(topic: string, cannot: string, now: () => number, lanes: readonly Lane[], partitions: number) {
    this.topic = topic
    this.#cannot = cannot
    this.#retries = { now, withinMs: DELIVERY_MS, signal: this.#abandoned.signal }
    this.#lanes = lanes
    this.#partitions = partitions
  }

  /**
   * Connects, and waits for a cluster that is not there yet.
   * @throws KafkaError, as when there is no such topic
   */
  static async open(connection: KafkaConnection, topic: string, startup: RetryOptions): Promise<TopicProducer> {
    const where = `the topic ${topic} of ${connection.brokers.join(',')}`
    const first = newLane(connection)
    const read = async () => (await first.client.metadata({ topics: [topic], retries: 0 })).topics.get(topic)
    try {
      const partitions = (await retried(read, `cannot produce to ${where}`, startup))?.partitionsCount ?? 0
      const others = Array.from({ length: Math.min(LANES, partitions) - 1 }, () => newLane(connection))
      return new TopicProducer(topic, `cannot produce to ${where}`, startup.now, [first, ...others], partitions)
    } catch (error) {
      await first.client.close()
      throw error
    }
  }

  /**
   * Takes a record.
   * @returns where it is, once it is acknowledged
   * @throws KafkaError when it is not, of this record alone if it is too large
   */
  send(record: NewRecord): Promise<Position> {
    const { key } = record
    const partition = key === null ? this.#keyless % this.#count() : partitionOfKey(key, this.#count())
    let batch = this.#open.get(partition)
    if (batch === undefined) {
      batch = new RecordBatch(
        partition,
        setTimeout(() => this.#dispatch(partition), LINGER_MS),
      )
      this.#open.set(partition, batch)
    }
    const bytes = batch.bytes
    const acknowledged = batch.add(record)
    this.#buffered += batch.bytes - bytes
    if (batch.isFull(this.#batchBytes)) {
      this.#dispatch(partition)
      if (key === null) this.#keyless += 1
    }
    return acknowledged
  }

  /** Waits until there is room for more. */
  async room(): Promise<void> {
    while (this.#buffered >= BUFFER_BYTES) await this.#settled()
  }

  /** Waits until all that was sent has been acknowledged, or refused. */
  async flush(): Promise<void> {
    for (const partition of this.#open.keys()) this.#dispatch(partition)
    while (this.#buffered > 0) await this.#settled()
  }

  async close(): Promise<void> {
    await this.flush()
    await Promise.all(this.#lanes.map(({ client }) => client.close()))
  }

  /** Ends without waiting: what is not acknowledged by now is refused. */
  async abandon(): Promise<void> {
    this.#abandoned.abort()
    await Promise.all(this.#lanes.map(({ client }) => client.close()))
    await this.flush()
  }

  /** As many as the cluster last said: the client asks it again every few seconds. */
  #count(): number {
    const known = this.#lanes[0]?.client.currentMetadata?.topics.get(this.topic)?.partitionsCount
    this.#partitions = known ?? this.#partitions
    return this.#partitions
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #dispatch(partition: number): void {
    const batch = this.#open.get(partition)
    const lane = this.#lanes[partition % this.#lanes.length]
    if (batch === undefined || lane === undefined) return
    this.#open.delete(partition)
    clearTimeout(batch.timer)
    lane.last = lane.last.then(() => this.#deliver(lane.client, batch))
  }

  /** Sends a batch until it is there or nothing can help, and tells those who wait for its records. Never throws. */
  async #deliver(client: Producer, batch: RecordBatch): Promise<void> {
    try {
      if (this.#abandoned.signal.aborted) throw new KafkaError('REQUEST_REFUSED', `${this.#cannot}: it was given up`)
      if (batch.bytes > REQUEST_BYTES)
        throw new KafkaError(
          'RECORD_TOO_LARGE',
          `${this.#cannot}: a record of ${batch.bytes} bytes is too large for a request`,
        )
      batch.accept(await retried(() => this.#request(client, batch), this.#cannot, this.#retries))
    } catch (thrown) {
      const error = kafkaError(thrown, this.#cannot)
      const halves = error.fault === 'RECORD_TOO_LARGE' ? batch.halves() : null
      if (halves !== null) {
        this.#batchBytes = Math.max(SMALLEST_BATCH_BYTES, this.#batchBytes / 2)
        for (const half of halves) await this.#deliver(client, half)
        return
      }
      batch.refuse(error)
    }
    this.#buffered -= batch.bytes
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** One partition in a request: it works or it does not, and a new leader is asked for nothing else. */
  async #request(client: Producer, batch: RecordBatch): Promise<number> {
    const messages = batch.messages(this.topic)
    const { offsets } = await client.send({ messages })
    const [first] = offsets ?? []
    if (first === undefined) throw new KafkaError('BROKER_BUSY', `${this.#cannot}: the broker named no offset`)
    return Number(first.offset)
  }
}

/** A client, and the end of the queue for it. */
interface Lane {
  readonly client: Producer
  last: Promise<void>
}

/**
 * A client may have one send under way, not more: one that fails begins its sequence numbers anew for all partitions, and
 * another that is just being made would take an old identity with a new number, which a broker may think it has already.
 */
function newLane(connection: KafkaConnection): Lane {
  const client = new Producer({
    ...clientOptions(connection, 'inlet-producer'),
    idempotent: true,
    compression: 'zstd',
    retries: CLIENT_RETRIES,
    retryDelay: (_client, _operation, attempt) => Math.min(retryPause(attempt, Math.random()), LONGEST_CLIENT_PAUSE_MS),
  })
  return { client, last: Promise.resolve() }
}
