import { createHash } from 'node:crypto'
import type { KafkaRecord } from '#shared/pipeline/record.ts'

/** Records that have no Kafka behind them: the values of a file, one a line, spread over partitions. */
export interface ValueFile {
  /** Digest of the content and the number of partitions: the identity of the offsets that the lines are given. */
  readonly cluster: string
  readonly partitions: number
  readonly values: readonly Uint8Array[]
}

/**
 * Newline-delimited values as records: line i goes to partition i mod n at offset ⌊i ÷ n⌋, so the same content read with
 * the same number of partitions is the same records, on any machine. Lines without a character are no records.
 * @param content the file as bytes, decompressed: what is not UTF-8 or not JSON is for the decoder to say
 */
export function readValueFile(content: Uint8Array, partitions: number): ValueFile {
  const values: Uint8Array[] = []
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf(0x0a, start)
    const end = newline === -1 ? content.length : newline
    const line = content.subarray(start, end)
    if (line.length > 0 && !(line.length === 1 && line[0] === 0x0d)) values.push(line)
    start = end + 1
  }
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16)
  return { cluster: `file-${digest}`, partitions, values }
}

/** How many records a partition of the file has: its offsets are those below. */
export function partitionLength({ partitions, values }: ValueFile, partition: number): number {
  return Math.max(0, Math.ceil((values.length - partition) / partitions))
}

/** Records of one partition of the file as Kafka would give them, from an offset on. */
export function recordsOf(
  file: ValueFile,
  topic: string,
  { partition, from, atMost }: { readonly partition: number; readonly from: number; readonly atMost: number },
): KafkaRecord[] {
  const { partitions, values } = file
  const end = Math.min(from + atMost, partitionLength(file, partition))
  const records: KafkaRecord[] = []
  for (let offset = from; offset < end; offset++) {
    const value = values[offset * partitions + partition] as Uint8Array
    // A line has no time of its own, and the file's would not be the same on another machine.
    const place = { topic, partition, offset, timestamp: 0, timestampType: 'CREATE_TIME' } as const
    records.push({ ...place, key: null, value, headers: [] })
  }
  return records
}
