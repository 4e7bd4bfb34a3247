import { partitionBounds } from '#shared/runtimes/partition-bounds.ts'
import type { TopicView } from '#shared/runtimes/table-view.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaConnection } from '#shared/sources/kafka-connection.ts'
import { openTopic } from './kafka-start.ts'
import { untilStopped } from './stop-signal.ts'

const SESSION_MS = 30_000

/**
 * Asks Kafka how far topics reach, and how far a consumer group has got: what is filtered, or is no record, never lands, and the
 * group is behind it all the same.
 * @param group null for the one that `inlet run --kafka` reads with
 */
export function topicViews(
  connection: KafkaConnection,
  group: string | null,
): (pipeline: Pipeline) => Promise<TopicView> {
  return async ({ name, topic }) => {
    const groupId = group ?? `inlet-trigger-${name}`
    const member = { topic, groupId, clientId: 'inlet-jobs', instanceId: null, sessionMs: SESSION_MS }
    const opened = await openTopic(connection, member, untilStopped())
    try {
      const bounds = await partitionBounds(opened, opened.partitions, 'LATEST')
      const offsets = new Map(
        [...bounds].map(([partition, { committed, earliest, latest }]) => {
          return [partition, { begin: Math.max(earliest, committed ?? 0), end: latest }]
        }),
      )
      return { offsets, hasEnded: () => false }
    } finally {
      await opened.close()
    }
  }
}
