import type { KafkaError } from './kafka-faults.ts'
import type { NewRecord, Position } from './topic-producer.ts'

const BATCH_RECORDS = 10_000
/** About what a record takes beside its key and value. */
const RECORD_OVERHEAD_BYTES = 20

interface Entry {
  readonly record: NewRecord
  readonly resolve: (position: Position) => void
  readonly reject: (error: KafkaError) => void
}

/** What the client is given. */
interface Message {
  readonly topic: string
  readonly partition: number
  readonly key?: Buffer
  readonly value?: Buffer
  readonly headers?: Map<Buffer, Buffer>
}

/** Records of one partition that are sent together, and those who wait for them. */
export class RecordBatch {
  readonly partition: number
  /** What sends the batch when no more records come. */
  readonly timer: NodeJS.Timeout | undefined
  readonly #entries: Entry[]
  #bytes = 0

  constructor(partition: number, timer?: NodeJS.Timeout, entries: Entry[] = []) {
    this.partition = partition
    this.timer = timer
    this.#entries = entries
    for (const { record } of entries) this.#bytes += sizeOf(record)
  }

  get bytes(): number {
    return this.#bytes
  }

  isFull(atBytes: number): boolean {
    return this.#bytes >= atBytes || this.#entries.length >= BATCH_RECORDS
  }

  add(record: NewRecord): Promise<Position> {
    this.#bytes += sizeOf(record)
    return new Promise((resolve, reject) => this.#entries.push({ record, resolve, reject }))
  }

  messages(topic: string): Message[] {
    return this.#entries.map(({ record: { key, value, headers = [] } }) => ({
      topic,
      partition: this.partition,
      ...(key === null ? {} : { key: asBuffer(key) }),
      ...(value === null ? {} : { value: asBuffer(value) }),
      // Buffers are keys by their identity: a name may be there twice.
      ...(headers.length === 0
        ? {}
        : { headers: new Map(headers.map((header) => [Buffer.from(header.name), asBuffer(header.value)])) }),
    }))
  }

  /** @param offset of the first record */
  accept(offset: number): void {
    for (const [i, { resolve }] of this.#entries.entries()) resolve({ partition: this.partition, offset: offset + i })
  }

  refuse(error: KafkaError): void {
    for (const { reject } of this.#entries) reject(error)
  }

  /** Two batches of the same records, in their order; null when there is one record only. */
  halves(): readonly [RecordBatch, RecordBatch] | null {
    const middle = Math.ceil(this.#entries.length / 2)
    if (middle === this.#entries.length) return null
    return [
      new RecordBatch(this.partition, undefined, this.#entries.slice(0, middle)),
      new RecordBatch(this.partition, undefined, this.#entries.slice(middle)),
    ]
  }
}

function sizeOf({ key, value, headers = [] }: NewRecord): number {
  const ofHeaders = headers.reduce((bytes, header) => bytes + header.name.length + header.value.length, 0)
  return RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0) + ofHeaders
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
