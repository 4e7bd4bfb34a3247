import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { compileFlow, type Flow } from '#shared/pipeline/flow.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { type Delivery, processBatch, type SliceReport } from '#shared/pipeline/process-batch.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { readLake } from '#test/contract/lake-contents.ts'
import { kafkaRecord } from './kafka-record.ts'
import { MemoryStore } from './memory-store.ts'

/** What a delivery has left in a lake, as a reader sees it. */
export interface Landing {
  readonly reports: readonly SliceReport[]
  /** In the order of their positions. */
  readonly rows: readonly Row[]
  readonly deadLetters: readonly Row[]
  readonly store: MemoryStore
}

/** Lands records in a new lake in memory, the whole way, and reads back what the log names. */
export async function land(flow: Flow | Pipeline, records: readonly KafkaRecord[]): Promise<Landing> {
  const compiled = 'pipeline' in flow ? flow : compileFlow(flow)
  const store = new MemoryStore()
  const byPartition = Map.groupBy(records, ({ partition }) => partition)
  const { topic } = compiled.pipeline
  const partitions = [...byPartition].map(([partition, list]) => ({ topic, partition, records: list }))
  const delivery: Delivery = { source: { cluster: 'memory', topic }, partitions }
  const options = { lake: new ObjectStoreLake(store), signal: new AbortController().signal, concurrency: 4 }
  const reports = await processBatch(compiled, delivery, options)
  return { reports, store, ...(await readLake(store, compiled)) }
}

/** Values as the records of one Kafka partition, at offsets 0, 1, 2 … */
export function recordsOf(
  values: readonly (string | Uint8Array | null)[],
  changes: Partial<KafkaRecord> = {},
): KafkaRecord[] {
  return values.map((value, offset) => kafkaRecord(value, { offset, ...changes }))
}
