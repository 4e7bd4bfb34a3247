import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureBucket, failureTopic } from '#shared/pipeline/trigger.ts'
import { logicalId, ref, type Resource, type Resources, type Value } from './cloudformation.ts'
import { committerMetric, functionMetric, type Metric, pipelineMetric, triggerMetric } from './metrics.ts'
import type { StageSettings } from './stage.ts'

/** Batches that may wait before a trigger is said to fall behind. */
const WAITING_BATCHES = 10
/** Of a hundred records, how many may be refused. */
const REFUSED_PERCENT = 1
const FIVE_MINUTES = 300
const DAY = 86_400

/** One alarm: how it is told from others, and what is to be done when it goes off. */
export interface Alarm {
  readonly what: string
  readonly description: string
  readonly metric: Metric | Expression
  readonly statistic?: Statistic
  /** Seconds of one value. */
  readonly period?: number
  /** Of so many values in a row, all have to breach. */
  readonly periods?: number
  readonly above?: number
  readonly below?: number
  /** Whether no value at all is bad. */
  readonly missing?: 'breaching' | 'notBreaching'
}

/** Arithmetic over metrics, each under the name that it has in it. */
interface Expression {
  readonly expression: string
  readonly metrics: Readonly<Record<string, Metric>>
  /** Of those that are not summed up. */
  readonly statistics?: Readonly<Record<string, Statistic>>
}

type Statistic = 'Sum' | 'Maximum' | 'Minimum'

/** The alarms of a pipeline. Each description says what to do: it is what somebody reads at night. */
export function pipelineAlarms(settings: StageSettings, pipeline: Pipeline): Resources {
  const { name, topic, trigger } = pipeline
  const stage = settings.stack
  const metric = (of: Parameters<typeof pipelineMetric>[2]) => pipelineMetric(settings, pipeline, of)
  const alarms: Alarm[] = [
    {
      what: 'Lag',
      description: `${stage}-${name} falls behind ${topic}: more than ${WAITING_BATCHES} full batches wait. Look for errors and throttles of the function first. If there are none, it is too slow: give topic or trigger more partitions, pollers or memory.`,
      metric: functionMetric(name, 'OffsetLag'),
      statistic: 'Minimum',
      periods: 3,
      above: WAITING_BATCHES * trigger.batchSize,
    },
    {
      what: 'Freshness',
      description: `Records of ${topic} take more than ${settings.freshnessSeconds} s from their timestamp to the commit of ${name}. If the lag grows too, see its alarm. If not, producers send old records, or batchingWindowSeconds is too long.`,
      metric: metric('freshness'),
      statistic: 'Maximum',
      periods: 3,
      above: settings.freshnessSeconds * 1000,
    },
    {
      what: 'DeadLetters',
      description: `More than ${REFUSED_PERCENT}% of the records of ${topic} are refused. "inlet dead-letters ls" groups them by reason. Mend the producer or the contract, then "inlet dead-letters redrive ${name}": nothing is lost meanwhile.`,
      metric: {
        expression: 'IF(records > 0, 100 * rejected / records, 0)',
        metrics: { records: metric('records'), rejected: metric('rejected') },
      },
      periods: 3,
      above: REFUSED_PERCENT,
    },
    {
      what: 'Failing',
      description: `${stage}-${name} has failed for 15 minutes. Its batches are delivered again, and their partitions stand still. Look into the function's log: "slice failed" has a code (STORE_DENIED is a right or the key, OFFSETS_RESTARTED a topic that was made anew: "inlet epoch"); without one it crashed, or ran out of time or memory.`,
      // A function that crashes counts nothing itself; one that answers with what has failed is no error to Lambda.
      metric: {
        expression: 'FILL(failed, 0) + FILL(errors, 0)',
        metrics: { failed: metric('failed'), errors: functionMetric(name, 'Errors') },
      },
      periods: 3,
      above: 0,
    },
    throttled(name, stage),
  ]
  if (trigger.mode === 'provisioned') alarms.push(...deliveryAlarms(settings, pipeline))
  return Object.fromEntries(alarms.map((alarm) => [logicalId(name, `${alarm.what}Alarm`), resource(alarm)]))
}

/** What a trigger has given up. Only triggers with provisioned pollers count it. */
function deliveryAlarms({ stack }: StageSettings, pipeline: Pipeline): Alarm[] {
  const { name, trigger } = pipeline
  const [bucket, topic] = [failureBucket(trigger), failureTopic(trigger)]
  const dropped: Alarm = {
    what: 'Dropped',
    description: `The trigger of ${stack}-${name} has dropped records: they are in no table, unless the topic still has them. Pause it ("inlet pause ${name}"), look for a failure destination that cannot be written and for records above 6 MB, then read the offsets again.`,
    metric: triggerMetric(pipeline, 'DroppedEventCount'),
    above: 0,
  }
  if (trigger.failureDestination === null) return [dropped]
  const again =
    bucket === null
      ? `read the topic ${topic} and produce its records again`
      : `"inlet dead-letters redrive ${name} --failure-destination ${trigger.failureDestination}"`
  return [
    dropped,
    {
      what: 'GivenUp',
      description: `The trigger of ${stack}-${name} has given records up, into ${trigger.failureDestination}. Mend what the function's log names, then ${again}.`,
      metric: triggerMetric(pipeline, 'OnFailureDestinationDeliveredEventCount'),
      above: 0,
    },
  ]
}

/** The alarms of the committer: what has landed and is in no snapshot. */
export function committerAlarms(settings: StageSettings): Resources {
  const { stack, freshnessSeconds } = settings
  // A run that ends well has taken what was there when it began, as far as it had time: how long that had waited is counted.
  const runs = { runs: functionMetric('committer', 'Invocations'), errors: functionMetric('committer', 'Errors') }
  const waited = committerMetric(settings, 'commit waited')
  const good = { expression: 'FILL(runs, 0) - FILL(errors, 0)', metrics: runs }
  const minutes = Math.ceil(freshnessSeconds / 60)
  const alarms: Alarm[] = [
    {
      what: 'SnapshotsLate',
      description: `No run of ${stack}-committer has ended well for ${minutes} minutes: what lands is durable, and readers do not see it. Its log has "commit failed" with pipeline and code: TABLE_MISSING wants "inlet table apply", TABLE_DIVERGED "inlet table history", then rollback or adopt.`,
      metric: good,
      period: minutes * 60,
      below: 1,
      missing: 'breaching',
    },
    {
      what: 'SnapshotsBehind',
      description: `Commits wait for more than ${freshnessSeconds} s until ${stack}-committer brings them into a snapshot. See whether the alarm SnapshotsLate is on, too. If not, its runs end well and do not keep up: give the committer more memory, or pipelines fewer and larger slices (batchingWindowSeconds).`,
      metric: waited,
      statistic: 'Maximum',
      periods: 3,
      above: freshnessSeconds * 1000,
    },
    {
      what: 'CommitsOutsideSnapshots',
      description: `Commits are older than a day and in no snapshot: for a day no run of ${stack}-committer has ended well, or it does not keep up. Before other engines clean up files that no snapshot names (S3 Tables after three days), stop that clean-up and mend the committer, as the alarms SnapshotsLate and SnapshotsBehind say.`,
      metric: {
        expression: `IF(FILL(runs, 0) - FILL(errors, 0) > 0 AND FILL(waited, 0) < ${DAY * 1000}, 1, 0)`,
        metrics: { ...runs, waited },
        statistics: { waited: 'Maximum' },
      },
      period: DAY,
      below: 1,
      missing: 'breaching',
    },
  ]
  return serviceAlarms('committer', stack, alarms)
}

/** The alarms of a function that is no pipeline's, and that it is throttled. */
export function serviceAlarms(name: string, stack: string, alarms: readonly Alarm[]): Resources {
  const all = [...alarms, throttled(name, stack)]
  return Object.fromEntries(all.map((alarm) => [logicalId(name, `${alarm.what}Alarm`), resource(alarm)]))
}

/** Invocations that nobody waits for and that failed. */
export function failedInvocationsAlarm({ stack }: StageSettings): Resources {
  const waiting: Metric = {
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': ['FailedInvocations', 'QueueName'] } }],
  }
  return {
    FailedInvocationsAlarm: resource({
      what: '',
      description: `Invocations of ${stack} have failed; the queue FailedInvocations says which, with request and error. A run on a schedule is made good by the next one; a redrive is to be invoked again; of topics, tables and brokers CloudFormation has not been answered: see their logs. Then purge the queue.`,
      metric: waiting,
      statistic: 'Maximum',
      above: 0,
    }),
  }
}

function throttled(name: string, stack: string): Alarm {
  return {
    what: 'Throttled',
    description: `${stack}-${name} is throttled: the account's concurrency for Lambda is used up, or that which is reserved for it. See who uses it (ConcurrentExecutions), then ask for more at Service Quotas.`,
    metric: functionMetric(name, 'Throttles'),
    periods: 3,
    above: 0,
  }
}

function resource(alarm: Alarm): Resource {
  const { description, above, below, periods = 1, missing = 'notBreaching' } = alarm
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: description,
      ...measured(alarm),
      EvaluationPeriods: periods,
      ComparisonOperator: above === undefined ? 'LessThanThreshold' : 'GreaterThanThreshold',
      Threshold: above ?? below ?? 0,
      TreatMissingData: missing,
      AlarmActions: [ref('Alarms')],
      OKActions: [ref('Alarms')],
    },
  }
}

function measured({ metric, statistic = 'Sum', period = FIVE_MINUTES }: Alarm): { readonly [key: string]: Value } {
  if (!('expression' in metric))
    return {
      ...metric,
      Dimensions: metric.Dimensions.map((each) => ({ ...each })),
      Statistic: statistic,
      Period: period,
    }
  const { statistics: stats = {} } = metric
  const terms = Object.entries(metric.metrics).map(([Id, { Dimensions, ...of }]) => {
    const dimensions = Dimensions.map((each) => ({ ...each }))
    return {
      Id,
      ReturnData: false,
      MetricStat: { Metric: { ...of, Dimensions: dimensions }, Period: period, Stat: stats[Id] ?? statistic },
    }
  })
  return { Metrics: [{ Id: 'result', Expression: metric.expression, Period: period, ReturnData: true }, ...terms] }
}
