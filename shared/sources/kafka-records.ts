import type { fetchV17 } from '@platformatic/kafka'
import type { KafkaRecord } from '#shared/pipeline/record.ts'

type Answer = fetchV17.FetchResponse['responses'][number]['partitions'][number]
type Batch = NonNullable<Answer['records']>[number]

/** What to read of a partition. */
export interface WantedRecords {
  readonly partition: number
  /** The offset to begin at. */
  readonly from: number
}

/** What a broker answered for a partition: records, or why there are none. */
export type PartitionAnswer = WantedRecords &
  (
    | ({ readonly fault: null; readonly end: number } & ReadRecords)
    /** `outOfRange`: the offset is before the oldest record or behind the newest. `moved`: another broker leads it now. */
    | { readonly fault: 'outOfRange' | 'moved' | 'missing' }
  )

/** Bits of a batch's attributes (Apache Kafka documentation, "Message Format", "Record Batch"). */
const LOG_APPEND_TIME = 1 << 3
const TRANSACTIONAL = 1 << 4
const CONTROL = 1 << 5
/** The type of a control record that aborts a transaction, in bytes 2 and 3 of its key. */
const ABORT = 0

/** What a broker gave of one partition. */
export interface ReadRecords {
  /** From the wanted offset on, in offset order. */
  readonly records: readonly KafkaRecord[]
  /** The offset to go on at: compaction and transactions leave no records at some. */
  readonly next: number
}

/**
 * The records of a broker's answer: committed ones only, without the markers of transactions.
 *
 * The client leaves records of an aborted transaction in when its marker is in another answer, so they are sorted out here as
 * the Java client does it: a producer's records are aborted from the offset that the broker names to its next marker.
 * @param from the offset that was asked for; a batch may begin before it
 */
export function readRecords(topic: string, answer: Answer, from: number): ReadRecords {
  const { partitionIndex: partition, records: batches, abortedTransactions } = answer
  const records: KafkaRecord[] = []
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const aborting = new Set<bigint>()
  let next = from
  for (const batch of batches ?? []) {
    const first = Number(batch.firstOffset)
    const last = first + batch.lastOffsetDelta
    while (aborted[0] !== undefined && Number(aborted[0].firstOffset) <= last)
      aborting.add((aborted.shift() as { producerId: bigint }).producerId)
    if ((batch.attributes & CONTROL) !== 0) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT) aborting.delete(batch.producerId)
    } else if ((batch.attributes & TRANSACTIONAL) === 0 || !aborting.has(batch.producerId)) {
      for (const record of batch.records)
        if (first + record.offsetDelta >= from) records.push(kafkaRecord(topic, partition, batch, record))
    }
    next = Math.max(next, last + 1)
  }
  return { records, next }
}

function kafkaRecord(topic: string, partition: number, batch: Batch, record: Batch['records'][number]): KafkaRecord {
  const { offsetDelta, timestampDelta, key, value, headers } = record
  const isAppendTime = (batch.attributes & LOG_APPEND_TIME) !== 0
  return {
    topic,
    partition,
    offset: Number(batch.firstOffset) + offsetDelta,
    timestamp: Number(isAppendTime ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta),
    timestampType: isAppendTime ? 'LOG_APPEND_TIME' : 'CREATE_TIME',
    key,
    value,
    headers: headers.map(([name, bytes]) => ({ name: name?.toString('utf8') ?? '', value: bytes ?? NONE })),
  }
}

const NONE = new Uint8Array()

/** Error codes of partitions (Apache Kafka documentation, "Protocol", section "Error Codes"). */
const OFFSET_OUT_OF_RANGE = 1
const MISSING = new Set([3, 100])

/** Makes sense of what a broker answered for a partition. */
export function partitionAnswer(topic: string, wanted: WantedRecords, answer: Answer): PartitionAnswer {
  const { errorCode } = answer
  if (errorCode === OFFSET_OUT_OF_RANGE) return { ...wanted, fault: 'outOfRange' }
  if (MISSING.has(errorCode)) return { ...wanted, fault: 'missing' }
  if (errorCode !== 0) return { ...wanted, fault: 'moved' }
  const end = Number(answer.lastStableOffset < 0n ? answer.highWatermark : answer.lastStableOffset)
  return { ...wanted, fault: null, end, ...readRecords(topic, answer, wanted.from) }
}
