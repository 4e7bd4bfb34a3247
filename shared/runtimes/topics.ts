import process from 'node:process'
import * as z from 'zod'
import type { Environment } from '#shared/config.ts'
import { kafkaOf } from '#shared/kafka-settings.ts'
import type { RetryOptions } from '#shared/sources/kafka-retries.ts'
import { type KafkaTopics, openTopics } from '#shared/sources/kafka-topics.ts'
import { applyTopics } from '#shared/sources/topic-changes.ts'
import { type CustomResource, customResourceHandler, type CustomResourceHandler } from './custom-resource.ts'

const number = z.coerce.number().int()

/** Of a Custom::KafkaTopic: see infra/custom-resources.ts, which writes them. */
const Properties = z.object({
  Topic: z.string().min(1),
  Pipelines: z.array(z.string()).min(1),
  /** `host:port,…`; without it KAFKA_BROKERS is asked. */
  Brokers: z.string().optional(),
  Settings: z.object({
    partitions: number.nullable().default(null),
    replication: number.nullable().default(null),
    retentionMs: number.nullable().default(null),
    maxMessageBytes: number.nullable().default(null),
    cleanup: z.enum(['delete', 'compact', 'compact,delete']).nullable().default(null),
  }),
})
type Properties = z.output<typeof Properties>

/** How long brokers may be away that come back. The deadline of the function comes first, if it is nearer. */
const PATIENCE_MS = 60_000
/** A name of 249 characters fits, and says in the console what it is. */
const idOf = ({ Topic }: Properties): string => `kafka-topic:${Topic}`

/** The function behind Custom::KafkaTopic: topics of a cluster become what pipelines declare (see `applyTopics`). */
export function topicsHandler(): CustomResourceHandler {
  return customResourceHandler(topicResource(process.env, openTopics))
}

/** @param open gives the topics of a cluster; they are closed again */
export function topicResource(environment: Environment, open: typeof openTopics): CustomResource<Properties> {
  return {
    properties: Properties,
    idOf,
    apply: async (properties, signal) => {
      const topics = open(kafkaOf(environment, properties.Brokers))
      try {
        await applyTopic(topics, properties, { now: () => performance.now(), withinMs: PATIENCE_MS, signal })
      } finally {
        await topics.close()
      }
      return { Topic: properties.Topic }
    },
  }
}

async function applyTopic(kafka: KafkaTopics, { Topic, Pipelines, Settings }: Properties, retries: RetryOptions) {
  const declared = { name: Pipelines.join(', '), topic: Topic, topicSettings: Settings }
  const [plan] = await applyTopics(kafka, [declared], retries)
  if (plan !== undefined && plan.refused !== null) throw new Error(`the topic ${Topic}: ${plan.refused}`)
}
