import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { type DeploymentFault, unsafe } from './deployment-fault.ts'
import { type Properties, resourcesOf, type Template } from './template.ts'

/** A trigger's resource. */
export const MAPPING = 'AWS::Lambda::EventSourceMapping'

/**
 * What the triggers of a template must not be, whoever wrote them. One that does not listen to what its function answers
 * loses records: it takes an answer that names the failed ones for success.
 */
export function mappingFaults(pipelines: readonly Pipeline[], template: Template): readonly DeploymentFault[] {
  const mappings = resourcesOf(template, MAPPING)
  return [...groupFaults(mappings), ...onDemandFaults(mappings), ...answerFaults(pipelines, mappings)]
}

/** @returns undefined for a group that Lambda makes up */
export function groupOf({
  AmazonManagedKafkaEventSourceConfig,
  SelfManagedKafkaEventSourceConfig,
}: Properties): unknown {
  const config = (AmazonManagedKafkaEventSourceConfig ?? SelfManagedKafkaEventSourceConfig ?? {}) as Properties
  return config['ConsumerGroupId']
}

export function listens({ FunctionResponseTypes }: Properties): boolean {
  return Array.isArray(FunctionResponseTypes) && FunctionResponseTypes.includes('ReportBatchItemFailures')
}

function groupFaults(mappings: ReadonlyMap<string, Properties>): DeploymentFault[] {
  const named = [...mappings].filter(([, mapping]) => groupOf(mapping) !== undefined)
  const byGroup = Map.groupBy(named, ([, mapping]) => JSON.stringify(groupOf(mapping)))
  return [...byGroup].flatMap(([group, [first, ...others]]) =>
    others.map(([id]) =>
      unsafe(
        'consumer-group',
        id,
        `it is in the consumer group ${group}, as ${first?.[0]} is: Lambda refuses the second, and Kafka would give each a part of the records only`,
        'give it a group of its own',
      ),
    ),
  )
}

function onDemandFaults(mappings: ReadonlyMap<string, Properties>): DeploymentFault[] {
  return [...mappings]
    .filter(([, mapping]) => listens(mapping) && mapping['ProvisionedPollerConfig'] === undefined)
    .map(([id]) =>
      unsafe(
        'partial-responses',
        id,
        'it has ReportBatchItemFailures and no ProvisionedPollerConfig: on demand Lambda does not take partial responses',
        'give it pollers, or take FunctionResponseTypes away',
      ),
    )
}

/** As many triggers of a topic listen as pipelines of it answer with what has failed. */
function answerFaults(pipelines: readonly Pipeline[], mappings: ReadonlyMap<string, Properties>): DeploymentFault[] {
  return [...Map.groupBy(pipelines, ({ topic }) => topic)].flatMap(([topic, readers]) => {
    const own = [...mappings.values()].filter(({ Topics }) => Array.isArray(Topics) && Topics.includes(topic))
    const answering = readers.filter(({ trigger }) => trigger.partialResponses)
    const listening = own.filter(listens)
    if (own.length === 0 || answering.length === listening.length) return []
    const of = readers.map(({ name }) => name).join(', ')
    const reason = `${answering.length} of the functions for ${topic} answer with the records that failed, and ${listening.length} of its triggers listen: what fails would count as landed, or all would be delivered again`
    return [unsafe('partial-responses', of, reason, 'derive the triggers from the declarations')]
  })
}
