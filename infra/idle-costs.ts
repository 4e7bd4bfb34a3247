import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { HOURS_A_MONTH, PRICES, PRICES_READ } from './prices.ts'
import { type Properties, resourcesOf, type Template } from './template.ts'

/** Pollers that one unit is good for. */
const POLLERS_OF_UNIT = 4
const MINUTES_A_MONTH = HOURS_A_MONTH * 60

/** Something that is paid for while no event comes. */
export interface IdleCost {
  readonly what: string
  /** US dollars a month. */
  readonly usd: number
}

/** What a stack costs in a month in which nothing happens, by part, the dearest first; parts that cost nothing are left out. */
export function idleCosts(template: Template, pipelines: readonly Pipeline[]): readonly IdleCost[] {
  const clusters = resourcesOf(template, 'AWS::MSK::ServerlessCluster').size
  // A topic whose partitions nobody declares has one at least.
  const topics = new Map(pipelines.map(({ topic, topicSettings: { partitions } }) => [topic, partitions ?? 1]))
  const partitions = clusters === 0 ? 0 : sum([...topics.values()])
  const zones = sum([...resourcesOf(template, 'AWS::EC2::VPCEndpoint').values()].map(zonesOf))
  const units = Math.ceil(
    sum([...resourcesOf(template, 'AWS::Lambda::EventSourceMapping').values()].map(pollersOf)) / POLLERS_OF_UNIT,
  )
  const keys = resourcesOf(template, 'AWS::KMS::Key').size
  const metrics = sum([...resourcesOf(template, 'AWS::CloudWatch::Alarm').values()].map(metricsOf))
  const dashboards = resourcesOf(template, 'AWS::CloudWatch::Dashboard').size
  const costs = [
    cost('MSK Serverless, the cluster', clusters * PRICES.mskCluster.usd * HOURS_A_MONTH),
    cost(`${partitions} partitions of topics`, partitions * PRICES.mskPartition.usd * HOURS_A_MONTH),
    cost(`interface endpoints, ${zones} times in a zone`, zones * PRICES.interfaceEndpoint.usd * HOURS_A_MONTH),
    cost(`${units} units of provisioned pollers`, units * PRICES.pollerUnit.usd * HOURS_A_MONTH),
    cost(`alarms on ${metrics} metrics`, metrics * PRICES.alarmMetric.usd),
    cost('the key of the lake', keys * PRICES.kmsKey.usd),
    cost('the dashboard', dashboards * PRICES.dashboard.usd),
  ]
  return costs.filter(({ usd }) => usd > 0).sort((a, b) => b.usd - a.usd)
}

/** How often functions run in a month by schedules of minutes, whatever comes. */
export function runsOfMonth(template: Template): number {
  const rules = [...resourcesOf(template, 'AWS::Events::Rule').values()]
  const minutes = rules.map(({ ScheduleExpression: every }) => /^rate\((?<n>\d+) minutes?\)$/.exec(String(every))?.[1])
  return sum(minutes.map((each) => (each === undefined ? 0 : MINUTES_A_MONTH / Number(each))))
}

/**
 * For people, before the first deployment.
 * @param runs of functions on a schedule
 */
export function idleCostPage(costs: readonly IdleCost[], runs: number, memoryMegabytes: number): string {
  const width = Math.max(...costs.map(({ what }) => what.length), 0)
  const line = ({ what, usd }: IdleCost) => `  ${what.padEnd(width)}  ${dollars(usd).padStart(9)}`
  const second = runs * ((memoryMegabytes / 1024) * PRICES.lambdaDuration.usd)
  const requests = (runs / 1e6) * PRICES.lambdaRequests.usd
  return [
    `An idle stack costs ${dollars(sum(costs.map(({ usd }) => usd)))} a month (list prices of us-east-1, read on ${PRICES_READ}):`,
    ...costs.map(line),
    `and ${runs.toLocaleString('en-US')} runs of functions on a schedule, as the committer: ${dollars(requests)}, and ${dollars(second)} for each second that one takes, with what it asks of S3.`,
    'Events, storage, logs and traces come on top of it: "inlet cost <pipeline>".',
  ].join('\n')
}

function zonesOf({ VpcEndpointType, SubnetIds }: Properties): number {
  return VpcEndpointType === 'Interface' && Array.isArray(SubnetIds) ? SubnetIds.length : 0
}

function pollersOf({ ProvisionedPollerConfig }: Properties): number {
  return (ProvisionedPollerConfig as { readonly MinimumPollers: number } | undefined)?.MinimumPollers ?? 0
}

function metricsOf({ Metrics }: Properties): number {
  return Array.isArray(Metrics) ? Metrics.filter((each: object) => 'MetricStat' in each).length : 1
}

function cost(what: string, usd: number): IdleCost {
  return { what, usd }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`
}
