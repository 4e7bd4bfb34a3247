import { createHash } from 'node:crypto'

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

/**
 * A file's records as the MSK events that a trigger would send, in order.
 * @param batch how many records an event holds at the most
 */
export function* mskEventsOf(file: ValueFile, topic: string, batch: number): Generator<unknown> {
  const { cluster, partitions, values } = file
  for (let start = 0; start < values.length; start += batch) {
    const records: Record<string, unknown[]> = {}
    for (let line = start; line < Math.min(start + batch, values.length); line++) {
      const partition = line % partitions
      const value = values[line] as Uint8Array
      const list = (records[`${topic}-${partition}`] ??= [])
      list.push({
        topic,
        partition,
        offset: Math.floor(line / partitions),
        // A line has no time of its own, and the file's would not be the same on another machine.
        timestamp: 0,
        timestampType: 'CREATE_TIME',
        value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
        headers: [],
      })
    }
    yield {
      eventSource: 'aws:kafka',
      eventSourceArn: `arn:aws:kafka:local:000000000000:cluster/${cluster}/p${partitions}`,
      bootstrapServers: '',
      records,
    }
  }
}
