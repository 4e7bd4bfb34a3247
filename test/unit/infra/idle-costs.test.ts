import { defineTrigger } from '#shared/pipeline/trigger.ts'
import { sensors } from '#test/helpers/sensors.ts'
import { idleCostPage, idleCosts, runsOfMonth } from '../../../infra/idle-costs.ts'
import { HOURS_A_MONTH, PRICES } from '../../../infra/prices.ts'
import type { Template } from '../../../infra/template.ts'

const mapping = (minimum: number) => ({
  Type: 'AWS::Lambda::EventSourceMapping',
  Properties: { ProvisionedPollerConfig: { MinimumPollers: minimum, MaximumPollers: 9 } },
})
const template: Template = {
  Resources: {
    Cluster: { Type: 'AWS::MSK::ServerlessCluster' },
    Gateway: { Type: 'AWS::EC2::VPCEndpoint', Properties: { VpcEndpointType: 'Gateway' } },
    Endpoint: {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: { VpcEndpointType: 'Interface', SubnetIds: ['a', 'b', 'c'] },
    },
    OnDemand: { Type: 'AWS::Lambda::EventSourceMapping', Properties: {} },
    Three: mapping(3),
    Two: mapping(2),
    One: { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'Errors' } },
    Math: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: { Metrics: [{ Expression: 'a/b' }, { MetricStat: 1 }, { MetricStat: 2 }] },
    },
  },
}
const wide = { ...sensors, topicSettings: { ...sensors.topicSettings, partitions: 8 } }

test('what is paid for by the hour or the month, the dearest first', () => {
  const costs = idleCosts(template, [wide, { ...wide, name: 'again' }, { ...sensors, name: 'other', topic: 'other' }])
  const hours = (usd: number) => expect.closeTo(usd * HOURS_A_MONTH, 6) as number
  expect(costs).toEqual([
    { what: 'MSK Serverless, the cluster', usd: hours(PRICES.mskCluster.usd) },
    { what: '2 units of provisioned pollers', usd: hours(2 * PRICES.pollerUnit.usd) },
    { what: 'interface endpoints, 3 times in a zone', usd: hours(3 * PRICES.interfaceEndpoint.usd) },
    { what: '9 partitions of topics', usd: hours(9 * PRICES.mskPartition.usd) },
    { what: 'alarms on 3 metrics', usd: expect.closeTo(0.3, 6) as number },
  ])
})

test('partitions of a cluster that is there anyway are not this stack’s', () => {
  const costs = idleCosts({ Resources: {} }, [{ ...wide, trigger: defineTrigger({}) }])
  expect(costs).toEqual([])
  expect(idleCostPage(costs, 0, 1024)).toMatch(/^An idle stack costs \$0\.00 a month/)
})

test('what runs by the minute is counted', () => {
  const rule = (ScheduleExpression?: string) => ({ Type: 'AWS::Events::Rule', Properties: { ScheduleExpression } })
  const Resources = { A: rule('rate(1 minute)'), B: rule('rate(1 day)'), C: rule(), D: rule('rate(5 minutes)') }
  expect(runsOfMonth({ Resources })).toBe(43_800 + 8760)
})

test('the page names sum, parts, and where and when the prices are from', () => {
  const page = idleCostPage(
    [
      { what: 'a', usd: 547.5 },
      { what: 'bcd', usd: 1 },
    ],
    43_800,
    1024,
  )
  expect(page).toMatch(
    /^An idle stack costs \$548\.50 a month \(list prices of us-east-1, read on \d{4}-\d\d-\d\d\):\n {2}a {6}\$547\.50\n {2}bcd {6}\$1\.00\n/,
  )
  expect(page).toContain('43,800 runs of functions on a schedule, as the committer: $0.01, and $0.58 for each second')
})
