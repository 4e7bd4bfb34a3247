import type { KafkaRecord, PartitionRecords } from '#shared/pipeline/record.ts'

/** What a function's answer means for its batch: it is done, some records failed, or it cannot be understood. */
export type BatchAnswer =
  | { readonly kind: 'success' }
  | { readonly kind: 'partial'; readonly failed: ReadonlyMap<number, ReadonlySet<number>> }
  | { readonly kind: 'malformed' }

/**
 * How Lambda goes on after a partial answer. The page says that it retries "just those specific items"; for streams it
 * resumes at the lowest. Which of the two holds for Kafka is not certain.
 */
export type PartialReading = 'named' | 'resume'

/**
 * Reads the answer of a function that reports failed records (AWS Lambda Developer Guide, "Configuring error handling
 * controls for Kafka event sources", "PartialBatchResponse"): nothing, or no failures, is success; an identifier that is not
 * of the invocation, or what is no such answer, has the whole batch retried.
 * @param payload what the function returned
 * @param partitions what it was invoked with
 */
export function readAnswer(payload: unknown, partitions: readonly PartitionRecords[]): BatchAnswer {
  if (payload === undefined || payload === null || payload === '') return { kind: 'success' }
  if (typeof payload !== 'object' || Array.isArray(payload)) return { kind: 'malformed' }
  const { batchItemFailures: items } = payload as { batchItemFailures?: unknown }
  if (items === undefined || items === null) return { kind: 'success' }
  if (!Array.isArray(items)) return { kind: 'malformed' }
  const delivered = new Map<string, OffsetsOf>()
  for (const slice of partitions) delivered.set(`${slice.topic}-${slice.partition}`, new OffsetsOf(slice))
  const failed = new Map<number, Set<number>>()
  for (const item of items) {
    const identifier = (item as { itemIdentifier?: unknown } | null)?.itemIdentifier
    const { partition: name, offset } = (identifier ?? {}) as { partition?: unknown; offset?: unknown }
    const slice = delivered.get(String(name))
    if (typeof name !== 'string' || slice === undefined || !slice.has(offset)) return { kind: 'malformed' }
    const offsets = failed.get(slice.partition)
    if (offsets === undefined) failed.set(slice.partition, new Set([offset as number]))
    else offsets.add(offset as number)
  }
  return failed.size === 0 ? { kind: 'success' } : { kind: 'partial', failed }
}

/** Which records are to be delivered again after a partial answer. */
export function isToRetry(
  failed: ReadonlyMap<number, ReadonlySet<number>>,
  reading: PartialReading,
): (record: KafkaRecord) => boolean {
  if (reading === 'named') return ({ partition, offset }) => failed.get(partition)?.has(offset) ?? false
  const lowest = new Map([...failed].map(([partition, offsets]) => [partition, Math.min(...offsets)]))
  return ({ partition, offset }) => offset >= (lowest.get(partition) ?? Number.POSITIVE_INFINITY)
}

/** The offsets of a slice, collected when they are first asked for: most answers report nothing. */
class OffsetsOf {
  readonly partition: number
  readonly #records: readonly KafkaRecord[]
  #offsets: ReadonlySet<unknown> | undefined

  constructor({ partition, records }: PartitionRecords) {
    this.partition = partition
    this.#records = records
  }

  has(offset: unknown): boolean {
    this.#offsets ??= new Set(this.#records.map((record) => record.offset))
    return this.#offsets.has(offset)
  }
}
