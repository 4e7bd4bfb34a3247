import * as z from 'zod'
import { readParquetRows } from '#shared/formats/parquet-rows.ts'
import { fieldPath } from './field-path.ts'
import type { KafkaRecord } from './record.ts'

/** A rejected record as it was kept: the very record again, and why it was refused. */
export interface DeadLetter {
  readonly record: KafkaRecord
  readonly code: string
  readonly field: string | null
}

/** What a record is rebuilt of. */
const StoredDeadLetter = z.object({
  topic: z.string(),
  code: z.string(),
  field: z.string().nullable(),
  key: z.instanceof(Uint8Array).nullable(),
  value: z.instanceof(Uint8Array).nullable(),
  headers: z.array(z.object({ name: z.string(), value: z.instanceof(Uint8Array) })),
  _timestamp_type: z.enum(['CREATE_TIME', 'LOG_APPEND_TIME']),
  _kafka_partition: z.int32(),
  _offset: z.bigint(),
  _timestamp: z.bigint(),
})

/**
 * The dead letters of a data file, in its order.
 * @throws Error saying what keeps the file from being one of dead letters
 */
export async function readDeadLetters(file: Uint8Array): Promise<DeadLetter[]> {
  const rows = await readParquetRows(file, Object.keys(StoredDeadLetter.shape))
  return rows.map((row) => {
    const stored = StoredDeadLetter.safeParse(row)
    if (!stored.success) {
      const [issue] = stored.error.issues
      throw new Error(`column ${fieldPath(issue?.path ?? []) ?? ''}: ${issue?.message}`)
    }
    const { _kafka_partition: partition, _offset, _timestamp, _timestamp_type: timestampType, ...letter } = stored.data
    const { topic, code, field, key, value, headers } = letter
    const [offset, timestamp] = [Number(_offset), Number(_timestamp / 1000n)]
    const record: KafkaRecord = { topic, partition, offset, timestamp, timestampType, key, value, headers }
    return { record, code, field }
  })
}
