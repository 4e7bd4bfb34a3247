import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureTopic } from '#shared/pipeline/trigger.ts'
import { type DeploymentFault, meant, unsafe } from './deployment-fault.ts'

/** What a trigger does with records before its function has them, and with those that it gives up. */
export function destinationFaults(pipeline: Pipeline): readonly DeploymentFault[] {
  return [...registryFaults(pipeline), ...topicFaults(pipeline)]
}

function registryFaults({ name, trigger }: Pipeline): DeploymentFault[] {
  const { schemaRegistry, failureDestination } = trigger
  if (schemaRegistry === null) return []
  const of = (reason: string, wayOut: string) => unsafe('schema-registry', name, reason, wayOut)
  const faults: DeploymentFault[] = []
  // Step 3 of "How Lambda performs schema validation for Kafka messages", AWS Lambda Developer Guide.
  if (failureDestination === null)
    faults.push(
      of(
        'records whose schema is not found, or that do not fit it, are dropped by Lambda where it has nowhere to put them: no row, no dead letter, no count',
        "declare trigger.failureDestination: 's3://…'",
      ),
    )
  if (schemaRegistry.recordFormat === 'SOURCE')
    faults.push(
      of(
        'with SOURCE Lambda takes the id of the schema off and leaves Avro and Protobuf as they are: values are decoded as JSON here, so that each of them would be a dead letter, and without the id nobody could read it later',
        "declare trigger.schemaRegistry.recordFormat: 'JSON', or leave it out",
      ),
    )
  if (!schemaRegistry.validate.includes('VALUE'))
    faults.push(
      of(
        'Lambda decodes only what it validates: values would come with the id of their schema before them, and each would be a dead letter',
        "declare trigger.schemaRegistry.validate: ['VALUE'], or ['KEY', 'VALUE']",
      ),
    )
  return faults
}

function topicFaults({ name, topic, trigger }: Pipeline): DeploymentFault[] {
  const waiting = failureTopic(trigger)
  if (waiting === null) return []
  if (waiting === topic) {
    const reason = `its trigger would give records up to ${topic}, which it reads: Lambda refuses that, for they would come again for ever`
    return [unsafe('failure-destination', name, reason, 'declare another topic, or a bucket')]
  }
  const reason = `nothing here reads the topic ${waiting}: records that are given up wait in it, and "inlet dead-letters redrive" finds batches in buckets only`
  const wayOut = "declare trigger.failureDestination: 's3://…'"
  return [meant('failure-destination', name, reason, wayOut)]
}
