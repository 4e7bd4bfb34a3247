import type { StartingPosition } from '#shared/pipeline/trigger.ts'
import type { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import type { PartitionBounds } from '#shared/trigger/starting-position.ts'

/**
 * What the brokers know of some partitions: what is left of each, and how far the consumer group has got.
 * @param position where a new group begins: a time has to be looked up
 */
export async function partitionBounds(
  topic: KafkaTopic,
  partitions: readonly number[],
  position: StartingPosition,
): Promise<ReadonlyMap<number, PartitionBounds>> {
  const [committed, earliest, latest, atTimestamp] = await Promise.all([
    topic.group.committed(partitions),
    topic.offsets('earliest', partitions),
    topic.offsets('latest', partitions),
    position instanceof Date ? topic.offsets(position, partitions) : undefined,
  ])
  const boundsOf = (partition: number): PartitionBounds => ({
    committed: committed.get(partition) ?? null,
    earliest: earliest.get(partition) ?? 0,
    latest: latest.get(partition) ?? 0,
    atTimestamp: atTimestamp?.get(partition) ?? null,
  })
  return new Map(partitions.map((partition) => [partition, boundsOf(partition)]))
}
