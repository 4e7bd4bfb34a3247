import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureTopic } from '#shared/pipeline/trigger.ts'
import { declaredTopics } from '#shared/sources/topics.ts'
import { attribute, logicalId, type Resources, type Value } from './cloudformation.ts'
import { BROKERS, TABLES, tablesProperties, TOPIC, topicProperties } from './custom-resources.ts'
import { clusterArn, kafkaNetwork, type StageSettings } from './stage.ts'

/** The functions that CloudFormation calls to make what it has no types for. */
export const BROKERS_FUNCTION = 'brokers'
export const TOPICS_FUNCTION = 'topics'
export const TABLES_FUNCTION = 'tables'

/** Seconds that they may take. */
export const CUSTOM_RESOURCE_TIMEOUT = 300
/** The longest that CloudFormation waits for an answer: enough for a function that is invoked twice more when it crashes. Seconds. */
const SERVICE_TIMEOUT = 1200
/** The logical id of what tells where the cluster is reached. */
const BROKERS_ID = 'KafkaBrokers'

/** What lets the function that makes topics reach the cluster, and give CloudFormation its answer. */
const REACHED_BY = ['KafkaAmongMembers', 'S3Endpoint', 'RoutesOfSubnetA', 'RoutesOfSubnetB', 'RoutesOfSubnetC']

/** The topics of the pipelines. They stay when the stack is deleted: the function leaves them alone. */
export function topicResources(settings: StageSettings, pipelines: readonly Pipeline[]): Resources {
  if (kafkaNetwork(settings) === null) return {}
  const topics = topicProperties(declaredTopics(pipelines), attribute(BROKERS_ID, 'Brokers'))
  return {
    [BROKERS_ID]: custom(BROKERS, BROKERS_FUNCTION, { ClusterArn: clusterArn(settings) }),
    ...Object.fromEntries(
      [...topics].map(([topic, properties]) => [
        topicId(pipelines, topic),
        {
          ...custom(TOPIC, TOPICS_FUNCTION, properties as { [key: string]: Value }),
          ...(settings.cluster === null && { DependsOn: REACHED_BY }),
        },
      ]),
    ),
  }
}

/** The logical id of a topic's resource: by the first pipeline that reads it, or else gives records up to it. */
export function topicId(pipelines: readonly Pipeline[], topic: string): string {
  const reader = pipelines.find((pipeline) => pipeline.topic === topic)
  if (reader !== undefined) return logicalId(reader.name, 'Topic')
  const writer = pipelines.find(({ trigger }) => failureTopic(trigger) === topic)
  return logicalId(writer?.name ?? '', 'FailureTopic')
}

/** The tables of the pipelines that have some in a catalog; they stay, too. */
export function tableResources(pipelines: readonly Pipeline[]): Resources {
  return Object.fromEntries(
    pipelines.flatMap((pipeline) => {
      const properties = tablesProperties(pipeline)
      if (properties === undefined) return []
      const resource = custom(TABLES, TABLES_FUNCTION, properties as { [key: string]: Value })
      return [[logicalId(pipeline.name, 'Tables'), resource]]
    }),
  )
}

function custom(Type: string, functionName: string, properties: { readonly [key: string]: Value }) {
  const ServiceToken = attribute(logicalId(functionName, 'LambdaFunction'), 'Arn')
  return {
    Type,
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: { ServiceToken, ServiceTimeout: SERVICE_TIMEOUT, ...properties },
  } as const
}
