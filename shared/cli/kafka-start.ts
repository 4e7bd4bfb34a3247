import process from 'node:process'
import type { KafkaConnection } from '#shared/sources/kafka-connection.ts'
import { retried, type RetryOptions, STARTUP_MS } from '#shared/sources/kafka-retries.ts'
import { KafkaTopic, type TopicOptions } from '#shared/sources/kafka-topic.ts'

/** A wait that nobody notices needs no words. */
const UNNOTICED_MS = 1000

/** How a command waits for a cluster that is not there yet: half a minute, and saying so. */
export function startupRetries(): RetryOptions {
  let isSaid = false
  return {
    now: () => performance.now(),
    withinMs: STARTUP_MS,
    onPause: ({ message }, pauseMs) => {
      if (isSaid || pauseMs < UNNOTICED_MS) return
      isSaid = true
      process.stderr.write(`${message}\nTrying again for ${STARTUP_MS / 1000} s.\n`)
    },
  }
}

/** Opens a topic for a member of a group. @throws KafkaError what cannot heal, or has not within that time */
export function openTopic(
  connection: KafkaConnection,
  options: TopicOptions,
  signal: AbortSignal,
): Promise<KafkaTopic> {
  const open = (): Promise<KafkaTopic> => KafkaTopic.open(connection, options)
  return retried(open, `cannot read ${options.topic}`, { ...startupRetries(), signal })
}
