import { pipelineTables } from '#shared/lake/pipeline-tables.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { agreedSettings, type DeclaredTopic } from '#shared/sources/topics.ts'
import type { Properties } from './template.ts'

/**
 * Where the brokers of a cluster are, found out by functions/brokers: no template can ask a serverless cluster, and the function
 * that makes topics is in the cluster's network, which has no way to the API of MSK. `ClusterArn` is its property, `Brokers`
 * what Fn::GetAtt finds.
 */
export const BROKERS = 'Custom::KafkaBrokers'
/** A Kafka topic, made and changed by functions/topics. */
export const TOPIC = 'Custom::KafkaTopic'
/** The Iceberg tables of a pipeline, made and changed by functions/tables. */
export const TABLES = 'Custom::IcebergTables'

/**
 * What a topic's resource says, beside its ServiceToken: all that its pipelines declare, so that CloudFormation calls its
 * function when that changes, and only then.
 * @param brokers of its cluster, `host:9098,…`: the attribute of a Custom::KafkaBrokers
 * @returns by topic
 * @throws Error when the pipelines of a topic do not agree
 */
export function topicProperties(declared: readonly DeclaredTopic[], brokers: unknown): ReadonlyMap<string, Properties> {
  const byTopic = Map.groupBy(declared, ({ topic }) => topic)
  return new Map(
    [...byTopic].map(([topic, owners]) => {
      const settings = agreedSettings(owners)
      if (typeof settings === 'string') throw new Error(`the topic ${topic}: ${settings}`)
      const said = Object.entries(settings).filter(([, value]) => value !== null)
      const pipelines = owners.map(({ name }) => name).sort()
      return [topic, { Brokers: brokers, Topic: topic, Pipelines: pipelines, Settings: Object.fromEntries(said) }]
    }),
  )
}

/**
 * What the resource of a pipeline's tables says, beside its ServiceToken: the locks, as text, for CloudFormation makes text
 * of numbers. A later packaging compares its own with them.
 * @returns undefined for plain files, which no catalog has tables of
 */
export function tablesProperties(pipeline: Pipeline): Properties | undefined {
  const tables = pipelineTables(pipeline)
  if (tables.length === 0) return undefined
  const { name, generation } = pipeline
  const locks = tables.map(({ owner: { table }, lock }) => ({ Table: table, Lock: JSON.stringify(lock) }))
  return { Pipeline: name, Generation: generation, Tables: locks }
}
