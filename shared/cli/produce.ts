import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaConnection } from '#shared/sources/kafka-connection.ts'
import { type Position, TopicProducer } from '#shared/sources/topic-producer.ts'
import { UsageError } from './failure.ts'
import { startupRetries } from './kafka-start.ts'
import { type Line, type LineFile, openLineFile } from './line-file.ts'
import { formatBytes, formatCount, Progress } from './progress.ts'
import { textTable } from './text-table.ts'

export interface ProduceOptions {
  /** A file of lines, each a value; `-` for standard input. */
  readonly from: string
  /** The field of each value, read as JSON, whose text is the record's key; null for records without one. */
  readonly key: string | null
  /** Records a second at the most. */
  readonly rate: number
  /** How often the file is sent, one time after the other. */
  readonly repeat: number
}

/** What became of a file of values. */
export interface Production {
  readonly topic: string
  /** Acknowledged by all replicas in sync. */
  readonly records: number
  /** Of values and keys. */
  readonly bytes: number
  readonly seconds: number
  readonly partitions: readonly ProducedPartition[]
}

interface ProducedPartition {
  readonly partition: number
  readonly records: number
  /** Of what was sent here; what others send meanwhile may lie between. */
  readonly firstOffset: number
  readonly lastOffset: number
}

/**
 * Sends the lines of a file to a topic and waits until all are acknowledged. The first that cannot be sent ends it.
 * @throws UsageError naming the line that has no key; KafkaError; ProduceError naming the line that was not acknowledged
 */
export async function produce(
  topic: string,
  connection: KafkaConnection,
  options: ProduceOptions,
): Promise<Production> {
  const { from, repeat } = options
  const file = await openLineFile(from)
  if (repeat > 1 && file.bytes === null) throw new UsageError(`--repeat: ${file.name} can be read once only`)
  const producer = await TopicProducer.open(connection, topic, startupRetries())
  const total = file.bytes === null ? null : file.bytes * repeat
  const progress = new Progress(`produce ${topic}`, total, total === null ? 'records' : 'bytes')
  const sending = new Sending(producer, file, options)
  try {
    for (let round = 0; round < repeat; round++) {
      const lines = file.lines((bytes) => (total === null ? undefined : progress.advance(bytes)))
      await sending.all(lines, total === null ? () => progress.advance(1) : () => undefined)
    }
    await producer.flush()
    sending.throwIfRefused()
    await producer.close()
  } catch (error) {
    await producer.abandon()
    throw sending.explained(error)
  } finally {
    progress.stop()
  }
  return { topic, ...sending.counts, seconds: progress.seconds }
}

/** What a person reads of it. */
export function productionPage({ topic, records, bytes, seconds, partitions }: Production): string {
  const rows = partitions.map(({ partition, records: count, firstOffset, lastOffset }) => [
    String(partition),
    formatCount(count),
    String(firstOffset),
    String(lastOffset),
  ])
  const rate = formatCount(records / Math.max(seconds, 0.001))
  const head = `${formatCount(records)} records (${formatBytes(bytes)}) are in ${topic}: ${seconds.toFixed(1)} s, ${rate}/s.`
  return rows.length === 0 ? head : `${head}\n\n${textTable(['partition', 'records', 'first', 'last'], rows)}`
}

/** A file that was not sent to its end. */
class ProduceError extends Error {
  override readonly name = 'ProduceError'
}

/** Lines on their way, and what has become of those before. */
class Sending {
  readonly #producer: TopicProducer
  readonly #file: LineFile
  readonly #options: ProduceOptions
  readonly #partitions = new Map<number, { records: number; firstOffset: number; lastOffset: number }>()
  readonly #started = performance.now()
  #records = 0
  #bytes = 0
  #sent = 0
  #refused: { readonly line: number; readonly error: unknown } | null = null

  constructor(producer: TopicProducer, file: LineFile, options: ProduceOptions) {
    this.#producer = producer
    this.#file = file
    this.#options = options
  }

  get counts(): Omit<Production, 'topic' | 'seconds'> {
    const partitions = [...this.#partitions].map(([partition, counts]) => ({ partition, ...counts }))
    partitions.sort((a, b) => a.partition - b.partition)
    return { records: this.#records, bytes: this.#bytes, partitions }
  }

  /** Sends lines until one has been refused. */
  async all(lines: AsyncIterable<Line>, onSent: () => void): Promise<void> {
    for await (const line of lines) {
      this.throwIfRefused()
      await this.#turn()
      this.#send(line)
      onSent()
    }
  }

  throwIfRefused(): void {
    if (this.#refused !== null) throw this.#refused.error
  }

  /** An error with the line it is about, and with what had been acknowledged by then. */
  explained(error: unknown): unknown {
    if (this.#refused === null || error !== this.#refused.error) return error
    const { line } = this.#refused
    const reason = error instanceof Error ? error.message : String(error)
    const known = `${formatCount(this.#records)} records were acknowledged, of others it is not known`
    return new ProduceError(`${this.#file.name}, line ${line}: ${reason}; ${known}`)
  }

  /** Waits for room, and for the time of the next record. */
  async #turn(): Promise<void> {
    await this.#producer.room()
    const dueMs = (this.#sent / this.#options.rate) * 1000
    const early = dueMs - (performance.now() - this.#started)
    if (early > 1) await sleep(early)
    this.#sent += 1
  }

  #send({ number, bytes }: Line): void {
    const key =
      this.#options.key === null ? null : keyOf(bytes, this.#options.key, `${this.#file.name}, line ${number}`)
    this.#producer.send({ key, value: bytes }).then(
      (position) => this.#count(position, bytes.length + (key?.length ?? 0)),
      (error: unknown) => (this.#refused ??= { line: number, error }),
    )
  }

  #count({ partition, offset }: Position, bytes: number): void {
    this.#records += 1
    this.#bytes += bytes
    const counts = this.#partitions.get(partition)
    if (counts === undefined) this.#partitions.set(partition, { records: 1, firstOffset: offset, lastOffset: offset })
    else {
      counts.records += 1
      counts.lastOffset = offset
    }
  }
}

/** The text of a field as the key of a record. @throws UsageError naming the line */
function keyOf(value: Buffer, field: string, where: string): Buffer {
  let parsed: unknown
  try {
    parsed = JSON.parse(value.toString('utf8'))
  } catch (error) {
    throw new UsageError(`${where}: is not JSON, so it has no field "${field}" for --key: ${(error as Error).message}`)
  }
  const key: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, field) : undefined
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean') return Buffer.from(String(key))
  throw new UsageError(`${where}: has no text or number in the field "${field}", which --key asks for`)
}
