import type { StartingPosition } from '#shared/pipeline/trigger.ts'

/** What a topic's partition holds when a trigger begins to read it. */
export interface PartitionBounds {
  /** The offset that the consumer group has committed, if it has. */
  readonly committed: number | null
  /** The offset of the oldest record that is left. */
  readonly earliest: number
  /** The offset that the next record will have. */
  readonly latest: number
  /** The offset of the first record that is not older than the starting position, if that is a time and there is one. */
  readonly atTimestamp: number | null
}

/**
 * Where a trigger begins to read a partition: where its consumer group has got to, and where the declaration says only when
 * that is new (AWS Lambda Developer Guide, "Apache Kafka polling and stream starting positions in Lambda", "Customizable
 * consumer group ID in Lambda").
 */
export function startingOffset(position: StartingPosition, bounds: PartitionBounds): number {
  const { committed, earliest, latest, atTimestamp } = bounds
  if (committed !== null) return committed
  if (position === 'TRIM_HORIZON') return earliest
  return position === 'LATEST' ? latest : (atTimestamp ?? latest)
}
