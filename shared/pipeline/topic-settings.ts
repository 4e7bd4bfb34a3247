import { oneOf, onlyKnown, wholeNumber } from './declared-options.ts'
import { durationMs } from './duration.ts'
import { PipelineDefinitionError } from './errors.ts'

/** What a pipeline's owner asks of its topic. What is left out is the cluster's matter, and nobody touches it. */
export interface TopicSettingsOptions {
  /** How many partitions there are: 1 to 10,000. Kafka can add some, never take one away. */
  readonly partitions?: number
  /** How many brokers hold each record: 1 to 32,767. Only a topic that is made is given it. MSK Serverless has its own: leave it out. */
  readonly replication?: number
  /** How long records are kept: `'90 minutes'`, `'12 hours'`, `'7 days'`, or `'forever'`. */
  readonly retention?: string
  /** Bytes of a batch of records, as the broker takes it, compressed: at least 1,024. */
  readonly maxMessageBytes?: number
  /** Whether old records are deleted, or those that a later one of the same key replaces, or both. */
  readonly cleanup?: TopicCleanup
}

export type TopicCleanup = 'delete' | 'compact' | 'compact,delete'

/** A topic's checked settings; null is what the cluster decides. */
export interface TopicSettings {
  readonly partitions: number | null
  readonly replication: number | null
  /** -1 is for ever. */
  readonly retentionMs: number | null
  readonly maxMessageBytes: number | null
  readonly cleanup: TopicCleanup | null
}

const OPTIONS = ['partitions', 'replication', 'retention', 'maxMessageBytes', 'cleanup']
const MAX_MESSAGE_BYTES = 2 ** 31 - 1

/**
 * Checks what is declared of a topic.
 * @throws PipelineDefinitionError naming the option that is wrong
 */
export function defineTopicSettings(options: TopicSettingsOptions = {}): TopicSettings {
  if (typeof options !== 'object' || options === null)
    throw new PipelineDefinitionError("topicSettings: expected { partitions, retention: '7 days', … }")
  onlyKnown(options, OPTIONS, 'topicSettings.')
  const { partitions, replication, retention, maxMessageBytes, cleanup } = options
  if (partitions !== undefined) wholeNumber('topicSettings.partitions', partitions, 1, 10_000)
  if (replication !== undefined) wholeNumber('topicSettings.replication', replication, 1, 32_767)
  if (maxMessageBytes !== undefined)
    wholeNumber('topicSettings.maxMessageBytes', maxMessageBytes, 1024, MAX_MESSAGE_BYTES)
  if (cleanup !== undefined) oneOf('topicSettings.cleanup', cleanup, ['delete', 'compact', 'compact,delete'])
  return {
    partitions: partitions ?? null,
    replication: replication ?? null,
    retentionMs: retention === undefined ? null : milliseconds(retention),
    maxMessageBytes: maxMessageBytes ?? null,
    cleanup: cleanup ?? null,
  }
}

function milliseconds(retention: string): number {
  const expected = "'90 minutes', '12 hours', '7 days' or 'forever'"
  return retention === 'forever' ? -1 : durationMs('topicSettings.retention', retention, expected)
}
