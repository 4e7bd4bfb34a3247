import { onlyKnown } from './declared-options.ts'
import { type Duration, durationMs } from './duration.ts'
import { PipelineDefinitionError } from './errors.ts'

/** When the data of a table's window counts as complete. What `partitionComplete` of a job waits for comes on top of it. */
export interface CompletenessOptions {
  /** A Kafka partition that nothing came from for so long holds no window back. Inlet's default is `'15 minutes'`. */
  readonly idle?: Duration
  /**
   * How far an event's time may be ahead of its record's timestamp, and of the commit. What is further ahead says nothing of
   * how far a partition has come. Inlet's default is `'10 minutes'`.
   */
  readonly clockSkew?: Duration
  /**
   * A window that no row came into for so long is complete, wherever partitions stand: for topics on which all of a
   * partition's events may be of the past. The default is never.
   */
  readonly quiet?: Duration
}

/** Checked; milliseconds. */
export interface Completeness {
  readonly idleMs: number
  readonly clockSkewMs: number
  readonly quietMs: number | null
}

/** @throws PipelineDefinitionError naming the option that is wrong */
export function defineCompleteness(options: CompletenessOptions = {}): Completeness {
  if (typeof options !== 'object' || options === null)
    throw new PipelineDefinitionError("lake.completeness: expected { idle: '15 minutes', … }")
  onlyKnown(options, ['idle', 'clockSkew', 'quiet'], 'lake.completeness.')
  const { idle = '15 minutes', clockSkew = '10 minutes', quiet } = options
  return {
    idleMs: durationMs('lake.completeness.idle', idle),
    clockSkewMs: durationMs('lake.completeness.clockSkew', clockSkew),
    quietMs: quiet === undefined ? null : durationMs('lake.completeness.quiet', quiet),
  }
}
