import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureTopic } from '#shared/pipeline/trigger.ts'
import { UsageError } from './failure.ts'

/** @throws UsageError for a pipeline whose records only Lambda can decode, before a consumer makes a dead letter of each */
export function requirePlainRecords({ name, topic, trigger }: Pipeline): void {
  if (trigger.schemaRegistry === null) return
  throw new UsageError(
    `the records of ${topic} are decoded by a schema registry, which only Lambda's trigger asks: ${name} cannot read the topic itself`,
  )
}

/**
 * Where batches go here that are given up.
 * @param given as it was asked for
 * @throws UsageError when the pipeline's own destination is for Lambda only
 */
export function failuresHere({ name, trigger }: Pipeline, given?: string): string | null {
  if (given === undefined && failureTopic(trigger) !== null)
    throw new UsageError(
      `${name} gives records up to a topic, which only Lambda does: --failures <url> says where their batches go here`,
    )
  return given ?? trigger.failureDestination
}
