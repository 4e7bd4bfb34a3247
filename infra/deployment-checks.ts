import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { defineTrigger, retryLimit, type Trigger } from '#shared/pipeline/trigger.ts'
import { changeFaults } from './change-checks.ts'
import { contractFaults } from './contract-checks.ts'
import { type DeploymentFault, unsafe } from './deployment-fault.ts'
import { destinationFaults } from './destination-checks.ts'
import type { Template } from './template.ts'
import { mappingFaults } from './trigger-checks.ts'

/** What a stage says of its functions, and what it would deploy over what. */
export interface DeploymentSettings {
  /** Seconds that the function of a pipeline may take for a batch. */
  readonly timeoutSeconds: number
  readonly memoryMegabytes: number
  /** Seconds from an event to the lake that somebody was promised; null when nobody was. */
  readonly freshnessSeconds: number | null
  /** What would be deployed: of its resources at least the triggers. Null when only declarations are to be checked. */
  readonly template: Template | null
  /** What is deployed, or was packaged last; null before the first time. */
  readonly deployed: Template | null
  /** Faults that are meant, each as `kind:of`. */
  readonly allowed: readonly string[]
}

/** A trigger for Kafka may wait no longer for its function (AWS Lambda Developer Guide, "Using Lambda with Amazon MSK"). */
const MAX_TIMEOUT_SECONDS = 14 * 60
/** A vCPU's worth of memory (AWS Lambda Developer Guide, "Configure Lambda function memory"). */
const MEGABYTES_PER_VCPU = 1769
/** In less, a batch of 6 MB over 1,000 table partitions was not tried: test/integration/many-partitions.test.ts. */
const MIN_MEGABYTES = 256
/** Of a vCPU, for a payload of 6 MB, which is 4.4 MB before base64: 57 ns a byte is the dearest that `npm run bench` shows. */
const BATCH_CPU_SECONDS = 0.25
/** A call of S3 may take so long before it becomes an error that says so: shared/lake/bounded-call.ts. */
const SLOWEST_CALL_SECONDS = 30
/** A tenth of a function's time is kept for what has begun: shared/runtimes/invocation.ts. */
const USABLE_TIME = 0.9
/** How long a partition may stand still before somebody has looked at it: a weekend. */
const WEEKEND_MS = 3 * 86_400_000
const DEFAULT_POLLERS = defineTrigger({ mode: 'provisioned' }).pollers?.maximum

/**
 * What is wrong with deploying these pipelines. Pure: packaging and `inlet check` ask the same.
 * @returns none when it is safe, as far as declarations and templates can tell
 */
export function deploymentFaults(
  pipelines: readonly Pipeline[],
  settings: DeploymentSettings,
): readonly DeploymentFault[] {
  const { template, deployed, allowed } = settings
  const faults = [
    ...nameFaults(pipelines),
    ...timeFaults(settings),
    ...pipelines.flatMap((pipeline) => pipelineFaults(pipeline, settings)),
    ...pipelines.flatMap(destinationFaults),
    ...(template === null ? [] : mappingFaults(pipelines, template)),
    ...(deployed === null ? [] : contractFaults(pipelines, deployed)),
    ...(template === null || deployed === null ? [] : changeFaults(template, deployed)),
  ]
  return faults.filter(({ kind, of, canAllow }) => !canAllow || !allowed.includes(`${kind}:${of}`))
}

/** Names are consumer groups, functions and logs. */
function nameFaults(pipelines: readonly Pipeline[]): DeploymentFault[] {
  const twice = new Set(pipelines.map(({ name }) => name).filter((name, i, all) => all.indexOf(name) < i))
  return [...twice].map((name) => {
    const reason = 'two pipelines have this name: each would be given a part of the records, and both write one log'
    return unsafe('same-name', name, reason, 'give one of them another name')
  })
}

/**
 * What is poison: a batch that fails however often it is delivered. Data cannot be: what a record is refused for makes a dead
 * letter of it, and every pipeline has a table of these. What remains is a batch that its function has not the time or the
 * memory for, which is refused here, and faults of code and of state (a bug, an epoch that has to be ended, a right that is
 * missing), which need a person. Until then the partition stands still, and nothing is lost: see `retentionFault`.
 */
function timeFaults({ timeoutSeconds, memoryMegabytes }: DeploymentSettings): DeploymentFault[] {
  const faults: DeploymentFault[] = []
  const cpuSeconds = (BATCH_CPU_SECONDS * MEGABYTES_PER_VCPU) / memoryMegabytes
  const needed = Math.ceil((cpuSeconds + SLOWEST_CALL_SECONDS) / USABLE_TIME)
  if (timeoutSeconds > MAX_TIMEOUT_SECONDS) {
    const reason = `a timeout of ${timeoutSeconds} s: a trigger for Kafka takes no function that may run longer than ${MAX_TIMEOUT_SECONDS} s`
    faults.push(unsafe('timeout', 'functions', reason, `set it to at most ${MAX_TIMEOUT_SECONDS}`))
  }
  if (timeoutSeconds < needed) {
    const reason = `a timeout of ${timeoutSeconds} s: with ${memoryMegabytes} MB a full batch may need ${needed} s, of which ${SLOWEST_CALL_SECONDS} s are for a call of S3 that hangs. A batch that is cut off is delivered again, and cut off again: its partition would stand still`
    faults.push(
      unsafe('timeout', 'functions', reason, `set it to at least ${needed}, or give the functions more memory`),
    )
  }
  if (memoryMegabytes < MIN_MEGABYTES) {
    const reason = `${memoryMegabytes} MB of memory: a batch that it is too small for ends the function before a dead letter can be made, each time that it is delivered`
    faults.push(unsafe('memory', 'functions', reason, `set it to at least ${MIN_MEGABYTES}`))
  }
  return faults
}

function pipelineFaults(pipeline: Pipeline, { freshnessSeconds }: DeploymentSettings): DeploymentFault[] {
  const { name, trigger } = pipeline
  const of = (kind: string, reason: string, wayOut: string) => unsafe(kind, name, reason, wayOut)
  const faults: (DeploymentFault | null)[] = [retentionFault(pipeline), pollersFault(pipeline)]
  if (givesUp(trigger) && trigger.failureDestination === null)
    faults.push(
      of(
        'given-up',
        'batches that its trigger gives up, for their age or after so many attempts, are gone: no row, no dead letter, no count',
        'declare trigger.failureDestination: what is put there can be redriven. Or leave out maximumRetryAttempts and maximumRecordAgeSeconds',
      ),
    )
  if (trigger.mode === 'on-demand' && trigger.partialResponses)
    faults.push(
      of(
        'partial-responses',
        'it answers with the records that failed, and a trigger on demand does not listen: they would count as landed',
        "declare trigger.mode: 'provisioned', or leave out partialResponses",
      ),
    )
  if (freshnessSeconds !== null && trigger.batchingWindowSeconds > freshnessSeconds)
    faults.push(
      of(
        'freshness',
        `records are collected for ${trigger.batchingWindowSeconds} s, and are to be in the lake within ${freshnessSeconds} s`,
        `declare trigger.batchingWindowSeconds: at most ${freshnessSeconds}, less what a batch and a commit take`,
      ),
    )
  return faults.filter((each) => each !== null)
}

function givesUp({ maximumRetryAttempts, maximumRecordAgeSeconds }: Trigger): boolean {
  return maximumRetryAttempts !== null || maximumRecordAgeSeconds !== null
}

/** A partition that stands still loses what its topic no longer keeps, without a trace. */
function retentionFault({ name, topic, topicSettings: { retentionMs }, trigger }: Pipeline): DeploymentFault | null {
  if (retryLimit(trigger) !== Number.POSITIVE_INFINITY || givesUp(trigger)) return null
  if (retentionMs === null || retentionMs < 0 || retentionMs >= WEEKEND_MS) return null
  const hours = Math.round(retentionMs / 3_600_000)
  return unsafe(
    'retention',
    name,
    `a batch that fails is delivered again for ever, and ${topic} keeps records for ${hours} h only: a fault that nobody mends over a weekend loses what waits behind it`,
    "declare topicSettings.retention: '3 days' or more, or trigger.failureDestination: what fails ten times goes there, and the partition moves on",
  )
}

/** A partition is read by one poller at a time: the others would be paid for and wait. */
function pollersFault({ name, topic, topicSettings: { partitions }, trigger }: Pipeline): DeploymentFault | null {
  if (trigger.pollers === null || partitions === null) return null
  const { minimum, maximum } = trigger.pollers
  // The default is a ceiling that nobody asked for.
  const [option, count] = minimum > partitions ? ['minimum', minimum] : ['maximum', maximum]
  if (count <= partitions || (option === 'maximum' && maximum === DEFAULT_POLLERS)) return null
  return unsafe(
    'pollers',
    name,
    `${count} pollers for the ${partitions} partitions of ${topic}: a partition has one poller at a time, the others would be paid for and wait`,
    `declare trigger.pollers.${option}: at most ${partitions}, or more topicSettings.partitions`,
  )
}
