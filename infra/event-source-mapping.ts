import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SchemaRegistry } from '#shared/pipeline/schema-registry.ts'
import { failureBucket, type StartingPosition, type Trigger } from '#shared/pipeline/trigger.ts'
import { logicalId, ref, type Resource, sub, type Value } from './cloudformation.ts'
import { clusterArn, StageError, type StageSettings } from './stage.ts'

/** Pollers at the most of all the triggers that share a group of them ("ProvisionedPollerConfig", AWS Lambda API reference). */
const POLLERS_OF_GROUP = 2000
/** Lambda's name for what has no limit. */
const UNLIMITED = -1

/**
 * The consumer group of a pipeline. Each generation has its own, and unless one is declared each stage: a new generation begins
 * where its trigger says, and what its log has already is dropped.
 */
export function consumerGroup({ stack }: StageSettings, { name, generation, trigger }: Pipeline): string {
  return `${trigger.consumerGroup ?? `${stack}-${name}`}${generation === 0 ? '' : `-g${generation}`}`
}

/** A trigger's group cannot be changed in place, so that another generation has another trigger. */
export function mappingId({ name, generation }: Pipeline): string {
  return logicalId(name, generation === 0 ? 'Trigger' : `TriggerG${generation}`)
}

/**
 * The trigger of a pipeline as Lambda takes it. The Framework's own `msk` event has no words for most of this. `Enabled` is
 * left out: who has paused a trigger does not want it to run again with the next deployment.
 * @param dependsOn logical ids of what has to be there before it delivers
 */
export function eventSourceMapping(
  settings: StageSettings,
  pipeline: Pipeline,
  dependsOn: readonly string[] = [],
): Resource {
  const { trigger, topic, name } = pipeline
  return {
    Type: 'AWS::Lambda::EventSourceMapping',
    ...(dependsOn.length > 0 && { DependsOn: dependsOn }),
    Properties: {
      FunctionName: ref(logicalId(name, 'LambdaFunction')),
      EventSourceArn: clusterArn(settings),
      Topics: [topic],
      AmazonManagedKafkaEventSourceConfig: {
        ConsumerGroupId: consumerGroup(settings, pipeline),
        ...(trigger.schemaRegistry !== null && { SchemaRegistryConfig: registryConfig(trigger.schemaRegistry) }),
      },
      BatchSize: trigger.batchSize,
      MaximumBatchingWindowInSeconds: trigger.batchingWindowSeconds,
      ...startingPosition(trigger.startingPosition),
      ...(trigger.filters.length > 0 && {
        FilterCriteria: { Filters: trigger.filters.map((pattern) => ({ Pattern: JSON.stringify(pattern) })) },
      }),
      ...(trigger.failureDestination !== null && {
        DestinationConfig: { OnFailure: { Destination: failureDestination(trigger, trigger.failureDestination) } },
      }),
      ...(trigger.mode === 'provisioned' && provisioned(settings, pipeline)),
    },
  }
}

/** The ARN of a bucket, or `kafka://topic` as it is. */
function failureDestination(trigger: Trigger, declared: string): Value {
  const bucket = failureBucket(trigger)
  return bucket === null ? declared : sub(bucketArn(bucket))
}

/** The ARN of a bucket, for `Fn::Sub`. */
export function bucketArn(bucket: string): string {
  return `arn:\${AWS::Partition}:s3:::${bucket}`
}

function registryConfig({ uri, recordFormat, validate, access }: SchemaRegistry): Value {
  return {
    SchemaRegistryURI: uri,
    EventRecordFormat: recordFormat,
    SchemaValidationConfigs: validate.map((attribute) => ({ Attribute: attribute })),
    ...(access.length > 0 && { AccessConfigs: access.map(({ type, secret }) => ({ Type: type, URI: secret })) }),
  }
}

function startingPosition(position: StartingPosition): { readonly [key: string]: Value } {
  if (!(position instanceof Date)) return { StartingPosition: position }
  return { StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: Math.floor(position.getTime() / 1000) }
}

/** What only dedicated pollers take. Metrics and logs of the trigger itself are among it. */
function provisioned(
  { stack }: StageSettings,
  { trigger, topicSettings }: Pipeline,
): { readonly [key: string]: Value } {
  return {
    // Its members share what the pollers cost: four of them are a unit.
    ProvisionedPollerConfig: { ...pollers(trigger, topicSettings.partitions), PollerGroupName: stack },
    MaximumRetryAttempts: trigger.maximumRetryAttempts ?? UNLIMITED,
    MaximumRecordAgeInSeconds: trigger.maximumRecordAgeSeconds ?? UNLIMITED,
    BisectBatchOnFunctionError: trigger.bisectBatchOnError,
    FunctionResponseTypes: trigger.partialResponses ? ['ReportBatchItemFailures'] : [],
    MetricsConfig: { Metrics: ['EventCount', 'ErrorCount', 'KafkaMetrics'] },
    LoggingConfig: { SystemLogLevel: 'WARN' },
  }
}

/** A poller without a partition would have nothing to do, so that a declared number of partitions is the most there are. */
function pollers({ pollers: declared }: Trigger, partitions: number | null) {
  const { minimum, maximum } = declared ?? { minimum: 1, maximum: 1 }
  return { MinimumPollers: minimum, MaximumPollers: Math.max(minimum, Math.min(maximum, partitions ?? maximum)) }
}

/** @throws StageError when the triggers of a stage may not have as many pollers as they ask for, all together */
export function requireRoomForPollers(pipelines: readonly Pipeline[]): void {
  const provided = pipelines.filter(({ trigger }) => trigger.mode === 'provisioned')
  const asked = provided.map(({ name, trigger, topicSettings }) => {
    return { name, most: pollers(trigger, topicSettings.partitions).MaximumPollers }
  })
  const total = asked.reduce((sum, { most }) => sum + most, 0)
  if (total <= POLLERS_OF_GROUP) return
  const told = asked.map(({ name, most }) => `${name} ${most}`).join(', ')
  throw new StageError(
    `the triggers ask for ${total} pollers at the most, and share a group of ${POLLERS_OF_GROUP}: ${told}. ` +
      'Declare trigger.pollers.maximum, or topicSettings.partitions, which limits it too',
  )
}
