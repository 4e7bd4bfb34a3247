import { type DeploymentFault, meant, unsafe } from './deployment-fault.ts'
import { isSame, type Properties, resourcesOf, type Template } from './template.ts'
import { groupOf, listens, MAPPING } from './trigger-checks.ts'

/** What makes CloudFormation replace a trigger (resource schema of AWS::Lambda::EventSourceMapping, `createOnlyProperties`). */
const REPLACING = ['EventSourceArn', 'StartingPosition', 'StartingPositionTimestamp', 'SelfManagedEventSource'] as const

/**
 * What a deployment would do to the triggers that are there. CloudFormation says nothing of data: a trigger
 * that it replaces begins anew, where its starting position says.
 */
export function changeFaults(template: Template, deployed: Template): readonly DeploymentFault[] {
  const before = resourcesOf(deployed, MAPPING)
  const after = resourcesOf(template, MAPPING)
  return [...after].flatMap(([id, mapping]) => {
    const old = before.get(id)
    return old === undefined
      ? movedFaults(id, mapping, before, after)
      : [...replacementFaults(id, old, mapping), ...identityFaults(id, old, mapping), ...answerFaults(id, old, mapping)]
  })
}

function replacementFaults(id: string, old: Properties, mapping: Properties): DeploymentFault[] {
  const properties = REPLACING.filter((property) => !isSame(old[property], mapping[property]))
  if (properties.length === 0) return []
  const group = groupOf(mapping)
  const changes = `${properties.join(' and ')} would change, and CloudFormation makes another trigger in its place`
  // The new one is made before the old one is deleted.
  const reason =
    group !== undefined && isSame(group, groupOf(old))
      ? `${changes}: in the same consumer group, which Lambda refuses while the old one is there. The deployment would fail`
      : `${changes}: in another consumer group, ${begins(mapping)}`
  return [
    meant('replaced-trigger', id, reason, `leave ${properties.join(' and ')} as deployed: ${shown(old, properties)}`),
  ]
}

/** What CloudFormation would send as an update, and Lambda does not change: the topic and the group of a trigger. */
function identityFaults(id: string, old: Properties, mapping: Properties): DeploymentFault[] {
  const changes = [
    ...(isSame(old['Topics'], mapping['Topics']) ? [] : [['topic', old['Topics'], mapping['Topics']]]),
    ...(isSame(groupOf(old), groupOf(mapping)) ? [] : [['consumer group', groupOf(old), groupOf(mapping)]]),
  ]
  return changes.map(([what, from, to]) =>
    unsafe(
      'changed-trigger',
      id,
      `its ${String(what)} would change from ${JSON.stringify(from)} to ${JSON.stringify(to)}: Lambda sets it once, so that the update fails, or leaves the trigger as it was`,
      'leave it as deployed, or make a pipeline of another name: it has a trigger, a consumer group and a log of its own',
    ),
  )
}

/** A trigger under another logical id is a new one to CloudFormation, made before the old one is deleted. */
function movedFaults(
  id: string,
  mapping: Properties,
  before: ReadonlyMap<string, Properties>,
  after: ReadonlyMap<string, Properties>,
): DeploymentFault[] {
  const gone = [...before].filter(([old]) => !after.has(old))
  const isOfTopic = ([, old]: readonly [string, Properties]) =>
    isSame(old['Topics'], mapping['Topics']) && isSame(old['EventSourceArn'], mapping['EventSourceArn'])
  const sameGroup = gone.find(([, old]) => groupOf(mapping) !== undefined && isSame(groupOf(old), groupOf(mapping)))
  const moved = sameGroup ?? gone.find(isOfTopic)
  if (moved === undefined) return []
  const [old] = moved
  // Another generation has a log and tables of its own: it is to have all of the topic.
  const isGeneration = old !== id && pipelineOf(old) === pipelineOf(id)
  if (isGeneration && sameGroup === undefined && mapping['StartingPosition'] === 'TRIM_HORIZON') return []
  const reason =
    sameGroup === undefined
      ? `it reads the topic of ${old}, which would be deleted, in another consumer group: ${begins(mapping)}`
      : `it is in the consumer group of ${old}, which would be deleted after it is made: Lambda refuses two in one group, and the deployment would fail`
  return [meant('replaced-trigger', id, reason, `leave ${old} as it is: its name follows from that of its pipeline`)]
}

/**
 * CloudFormation changes a function before the trigger that refers to it, and does so too when it takes a deployment back. So
 * there is a time in which the one answers as it will, or did, and the other does not listen, and takes an answer that names
 * the records which failed for success. Switched on that is always so; switched off, when the deployment fails behind it.
 */
function answerFaults(id: string, old: Properties, mapping: Properties): DeploymentFault[] {
  if (listens(old) === listens(mapping)) return []
  const [kind, when] = listens(mapping)
    ? ['partial-responses-on', 'before its trigger listens']
    : ['partial-responses-off', 'when this deployment is rolled back, before its trigger listens again']
  const reason = `its function would answer with the records that failed ${when}: what fails in between would count as landed`
  const wayOut =
    'pause the trigger ("inlet pause"), deploy with that allowed, and resume it: while it is paused the order does not matter'
  return [meant(kind, id, reason, wayOut)]
}

/** `FlightsTriggerG2` → `FlightsTrigger` */
function pipelineOf(id: string): string {
  return id.replace(/(?<=Trigger)G\d+$/, '')
}

function begins({ StartingPosition }: Properties): string {
  return StartingPosition === 'TRIM_HORIZON'
    ? 'it begins at the oldest record of the topic, and all that has landed is delivered once more: known to the log and dropped, but paid for'
    : `it begins at ${JSON.stringify(StartingPosition)}, and what has arrived since the old one stopped may be skipped`
}

function shown(old: Properties, properties: readonly string[]): string {
  return properties.map((property) => JSON.stringify(old[property]) ?? 'nothing').join(', ')
}
