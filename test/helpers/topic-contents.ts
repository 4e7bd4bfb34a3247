import { randomUUID } from 'node:crypto'
import { Consumer, ListOffsetTimestamps, MessagesStreamModes } from '@platformatic/kafka'
import type { KafkaBroker } from './kafka-broker.ts'

/** A record as it lies in Kafka. */
export interface StoredRecord {
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, string])[]
}

/** All records of a topic from its beginning to where it ends now, by partition, in the order of their offsets. */
export async function topicContents(broker: KafkaBroker, topic: string): Promise<Map<number, StoredRecord[]>> {
  const { topics } = await broker.admin.metadata({ topics: [topic], forceUpdate: true })
  const partitions = Array.from({ length: topics.get(topic)?.partitionsCount ?? 0 }, (_, partition) => partition)
  const [ends] = await broker.admin.listOffsets({
    topics: [
      {
        name: topic,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp: ListOffsetTimestamps.LATEST })),
      },
    ],
  })
  const left = new Map(ends?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]))
  const contents = new Map<number, StoredRecord[]>(partitions.map((partition) => [partition, []]))
  for (const [partition, end] of left) if (end === 0) left.delete(partition)
  if (left.size === 0) return contents
  const options = {
    clientId: 'reader',
    bootstrapBrokers: broker.brokers.split(','),
    groupId: randomUUID(),
    retries: 10,
  }
  const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({ ...options, maxBytes: 20_000_000 })
  try {
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST })
    for await (const { partition, offset, key, value, headers } of stream) {
      const names = [...headers].map(([name, text]) => [String(name), String(text)] as const)
      contents.get(partition)?.push({ partition, offset: Number(offset), key, value, headers: names })
      if (Number(offset) >= (left.get(partition) ?? 0) - 1) left.delete(partition)
      if (left.size === 0) break
    }
    return contents
  } finally {
    await consumer.close(true)
  }
}
