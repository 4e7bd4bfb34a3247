import type { KafkaRecord, PartitionRecords, RecordHeader } from '#shared/pipeline/record.ts'

/** The cluster that a trigger reads, as its events name it. Self-managed Kafka has no ARN. */
export type KafkaSource =
  | { readonly eventSource: 'aws:kafka'; readonly arn: string; readonly bootstrapServers: string }
  | { readonly eventSource: 'SelfManagedKafka'; readonly bootstrapServers: string }

/** A record as Lambda sends it. A null key or value is absent (JSON leaves out what is undefined). */
export interface MskRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly timestampType: KafkaRecord['timestampType']
  /** Base64, as the value. */
  readonly key?: string | undefined
  readonly value?: string | undefined
  /** Each an object of one name and its Java bytes, −128 to 127. */
  readonly headers: readonly Readonly<Record<string, readonly number[]>>[]
}

/** What Lambda invokes a function with (AWS Lambda Developer Guide, "Using Lambda with Amazon MSK", example event). */
export interface MskEvent {
  readonly eventSource: KafkaSource['eventSource']
  readonly eventSourceArn?: string
  readonly bootstrapServers: string
  /** By `topic-partition`. */
  readonly records: Readonly<Record<string, readonly MskRecord[]>>
}

/** The event of one invocation. */
export function mskEvent(
  { partitions }: { readonly partitions: readonly PartitionRecords[] },
  source: KafkaSource,
): MskEvent {
  const records = Object.fromEntries(
    partitions.map(({ topic, partition, records: list }) => [`${topic}-${partition}`, list.map(mskRecord)]),
  )
  return { ...envelope(source), records }
}

function envelope(source: KafkaSource): Omit<MskEvent, 'records'> {
  const { eventSource, bootstrapServers } = source
  return eventSource === 'aws:kafka'
    ? { eventSource, eventSourceArn: source.arn, bootstrapServers }
    : { eventSource, bootstrapServers }
}

function mskRecord({
  topic,
  partition,
  offset,
  timestamp,
  timestampType,
  key,
  value,
  headers,
}: KafkaRecord): MskRecord {
  return {
    topic,
    partition,
    offset,
    timestamp,
    timestampType,
    key: key === null ? undefined : base64(key),
    value: value === null ? undefined : base64(value),
    headers: headers.map(({ name, value: bytes }) => ({ [name]: Array.from(bytes, signed) })),
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function signed(byte: number): number {
  return byte > 127 ? byte - 256 : byte
}

/**
 * The bytes of an event as the shortest JSON in UTF-8, part by part, so that a batch can grow to a limit without being
 * written: an event is its envelope, a group for each partition, its records, and a comma between any two of either.
 */
export function envelopeBytes(source: KafkaSource): number {
  return jsonBytes({ ...envelope(source), records: {} })
}

/** `"topic-0":[]` */
export function groupBytes(topic: string, partition: number): number {
  return jsonBytes(`${topic}-${partition}`) + ':[]'.length
}

/** What all records of a topic have in common. */
export function frameBytes(topic: string): number {
  return FRAME + jsonBytes(topic)
}

const FRAME = '{"topic":,"partition":,"offset":,"timestamp":,"timestampType":"","headers":[]}'.length

/** @param frame `frameBytes` of its topic */
export function recordBytes(record: KafkaRecord, frame: number): number {
  const { partition, offset, timestamp, timestampType, key, value, headers } = record
  const numbers = digits(partition) + digits(offset) + digits(timestamp)
  const ofKey = key === null ? 0 : '"key":"",'.length + base64Length(key)
  const ofValue = value === null ? 0 : '"value":"",'.length + base64Length(value)
  return frame + numbers + timestampType.length + ofKey + ofValue + headersBytes(headers)
}

function headersBytes(headers: readonly RecordHeader[]): number {
  const commas = Math.max(0, headers.length - 1)
  return headers.reduce((sum, { name, value }) => sum + '{:[]}'.length + jsonBytes(name) + bytesAsJson(value), commas)
}

/** `104,-61` */
function bytesAsJson(bytes: Uint8Array): number {
  const commas = Math.max(0, bytes.length - 1)
  return bytes.reduce((sum, byte) => sum + digits(signed(byte)), commas)
}

function base64Length({ length }: Uint8Array): number {
  return 4 * Math.ceil(length / 3)
}

function digits(value: number): number {
  return String(value).length
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
