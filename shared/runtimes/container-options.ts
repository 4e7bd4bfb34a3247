import type { LogEntry } from '#shared/lake/log-entry.ts'
import type { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import type { PartitionSurroundings } from './container-partition.ts'
import type { RotationLimits } from './container-rotation.ts'

export interface ContainerLimits extends RotationLimits {
  /** Of memory that open slices take. */
  readonly memoryBytes: number
  /** Of the local disk. */
  readonly scratchBytes: number
  /** How long what is open may take to land when the consumer is asked to stop. */
  readonly drainMs: number
}

/** Who wants to know what a consumer does. */
export interface ContainerListener {
  readonly onAssigned: (partitions: readonly number[]) => void
  readonly onLanded: (partition: number, commit: LogEntry, ms: number) => void
  /** Another writer was first: the records are read again. */
  readonly onOvertaken: (partition: number) => void
  /** Something that can heal; it is tried again after a pause. */
  readonly onFault: (error: Error, pauseMs: number) => void
  readonly onHealed: () => void
  readonly onPaused: (isPaused: boolean) => void
  readonly onDropped: (partitions: number, records: number) => void
}

export interface ContainerOptions {
  readonly topic: KafkaTopic
  readonly limits: ContainerLimits
  readonly listener: ContainerListener
  readonly surroundings: Omit<PartitionSurroundings, 'onGrowth' | 'topic'>
  /** Ends when everything that was there at the beginning has landed, in place of going on for ever. */
  readonly untilEnd: boolean
  /** Aborted when the consumer is to stop. */
  readonly signal: AbortSignal
}
