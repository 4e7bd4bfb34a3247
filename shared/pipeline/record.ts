/** One header of a Kafka record. Names may repeat; the value is bytes, not text. */
export interface RecordHeader {
  readonly name: string
  readonly value: Uint8Array
}

/** One Kafka record as it was delivered. `(topic, partition, offset)` is its position, its identity. */
export interface KafkaRecord {
  readonly topic: string
  readonly partition: number
  /** At most `Number.MAX_SAFE_INTEGER`. */
  readonly offset: number
  /** Milliseconds since 1970-01-01T00:00:00Z, set by the producer or the broker (see `timestampType`). */
  readonly timestamp: number
  readonly timestampType: 'CREATE_TIME' | 'LOG_APPEND_TIME'
  readonly key: Uint8Array | null
  /** `null` is a tombstone; zero bytes are a value. */
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** The records of one Kafka partition in one delivery, in offset order. */
export interface PartitionRecords {
  readonly topic: string
  readonly partition: number
  readonly records: readonly KafkaRecord[]
}

/** `flights-0@42`: how every message and log line names a record. */
export function positionOf(record: Pick<KafkaRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${record.topic}-${record.partition}@${record.offset}`
}
