import type { StartingPosition } from '#shared/pipeline/trigger.ts'
import { type PartitionBounds, startingOffset } from '#shared/trigger/starting-position.ts'

/** What is known of a partition when it is assigned. */
export interface PartitionState extends PartitionBounds {
  /** The last offset that has landed in the lake, if any has. */
  readonly landed: number | null
}

export interface Start {
  readonly offset: number
  /** Offsets behind what has landed that the topic does not have any more. */
  readonly missed: number
}

/**
 * Where a consumer begins to read a partition: behind what has landed. Only where nothing has does the declaration say; and
 * only when that is no fixed place, as "the newest", the consumer group's offset keeps where it began first.
 */
export function consumerStart(position: StartingPosition, { landed, committed, ...bounds }: PartitionState): Start {
  if (landed !== null) {
    const offset = Math.max(landed + 1, bounds.earliest)
    return { offset, missed: offset - landed - 1 }
  }
  const began = position === 'TRIM_HORIZON' || committed === null || committed < bounds.earliest ? null : committed
  return { offset: startingOffset(position, { ...bounds, committed: began }), missed: 0 }
}
