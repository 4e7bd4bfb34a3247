import type { KafkaRecord } from '#shared/pipeline/record.ts'

/** A record of `flights-0` with this value: text as UTF-8, bytes as they are, null for a tombstone. */
export function kafkaRecord(value: string | Uint8Array | null, changes: Partial<KafkaRecord> = {}): KafkaRecord {
  return {
    topic: 'flights',
    partition: 0,
    offset: 0,
    timestamp: Date.UTC(2013, 0, 1, 10),
    timestampType: 'CREATE_TIME',
    key: null,
    value: typeof value === 'string' ? new TextEncoder().encode(value) : value,
    headers: [],
    ...changes,
  }
}
