import { changeFaults } from '../../../infra/change-checks.ts'
import type { Properties, Template } from '../../../infra/template.ts'
import { mappingFaults } from '../../../infra/trigger-checks.ts'
import { deploymentFaults } from '../../../infra/deployment-checks.ts'
import { sensors } from '#test/helpers/sensors.ts'

const TRIGGER: Properties = {
  FunctionName: { Ref: 'SensorsLambdaFunction' },
  EventSourceArn: { 'Fn::GetAtt': ['KafkaCluster', 'Arn'] },
  Topics: ['sensors'],
  AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'inlet-dev-sensors' },
  StartingPosition: 'TRIM_HORIZON',
  BatchSize: 10_000,
}
const PARTIAL = { ProvisionedPollerConfig: { MinimumPollers: 1 }, FunctionResponseTypes: ['ReportBatchItemFailures'] }

const template = (triggers: Readonly<Record<string, Properties>>): Template => ({
  Resources: Object.fromEntries(
    Object.entries(triggers).map(([id, Properties]) => [id, { Type: 'AWS::Lambda::EventSourceMapping', Properties }]),
  ),
})
const one = (change: Properties = {}) => template({ SensorsTrigger: { ...TRIGGER, ...change } })

const changes = (after: Template, before: Template) =>
  changeFaults(after, before).map(({ kind, of, canAllow }) => `${kind}:${of}${canAllow ? '' : ' always'}`)

test('what Lambda changes in place may change, and a trigger may come and go', () => {
  expect(changes(one({ BatchSize: 100, MaximumBatchingWindowInSeconds: 9 }), one())).toEqual([])
  const reordered = { EventSourceArn: { 'Fn::GetAtt': ['KafkaCluster', 'Arn'] }, ...TRIGGER }
  expect(changes(template({ SensorsTrigger: reordered }), one())).toEqual([])
  expect(changes(template({}), one())).toEqual([])
  expect(changes(one(), template({}))).toEqual([])
})

test.each<[string, Properties]>([
  ['StartingPosition', { StartingPosition: 'LATEST' }],
  ['StartingPositionTimestamp', { StartingPositionTimestamp: 5 }],
  ['EventSourceArn', { EventSourceArn: 'arn:aws:kafka:us-east-1:1:cluster/other/1' }],
])('another %s replaces a trigger, and is refused unless it is meant', (property, change) => {
  expect(changes(one(change), one())).toEqual(['replaced-trigger:SensorsTrigger'])
  const [fault] = changeFaults(one(change), one())
  expect(fault?.reason).toMatch(new RegExp(`^${property} would change.*same consumer group`))
  expect(fault?.wayOut).toContain('allow replaced-trigger:SensorsTrigger')
})

test('a trigger that would begin in another group is told what it skips or repeats', () => {
  const group = { AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'other' } }
  const moved = (position: string) => one({ ...group, StartingPosition: position, StartingPositionTimestamp: 1 })
  expect(changeFaults(moved('TRIM_HORIZON'), one())[0]?.reason).toMatch(/delivered once more/)
  expect(changeFaults(moved('LATEST'), one())[0]?.reason).toMatch(/may be skipped/)
})

test('what Lambda never changes cannot be allowed', () => {
  expect(changes(one({ Topics: ['other'] }), one())).toEqual(['changed-trigger:SensorsTrigger always'])
  const group = { AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'other' } }
  expect(changes(one(group), one())).toEqual(['changed-trigger:SensorsTrigger always'])
})

test('a trigger under another name is another trigger', () => {
  const renamed = (change: Properties = {}) => template({ MetersTrigger: { ...TRIGGER, ...change } })
  expect(changeFaults(renamed(), one())[0]?.reason).toMatch(/consumer group of SensorsTrigger.*would fail/)
  const own = { AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'inlet-dev-meters' } }
  expect(changes(renamed(own), one())).toEqual(['replaced-trigger:MetersTrigger'])
  expect(changes(renamed({ ...own, Topics: ['meters'] }), one())).toEqual([])
  // Both are there: nothing is replaced.
  expect(changes(template({ SensorsTrigger: TRIGGER, MetersTrigger: { ...TRIGGER, ...own } }), one())).toEqual([])
})

test('the next generation has a trigger of its own, if it begins at the beginning', () => {
  const next = (StartingPosition: string) =>
    template({
      SensorsTriggerG1: {
        ...TRIGGER,
        AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'inlet-dev-sensors-g1' },
        StartingPosition,
      },
    })
  expect(changes(next('TRIM_HORIZON'), one())).toEqual([])
  expect(changes(next('LATEST'), one())).toEqual(['replaced-trigger:SensorsTriggerG1'])
})

test('partial responses are switched on and off while the trigger is paused', () => {
  expect(changes(one(PARTIAL), one())).toEqual(['partial-responses-on:SensorsTrigger'])
  expect(changes(one(), one(PARTIAL))).toEqual(['partial-responses-off:SensorsTrigger'])
  expect(changes(one(PARTIAL), one(PARTIAL))).toEqual([])
  // That is how CloudFormation is told that there are none.
  expect(changes(one({ FunctionResponseTypes: [] }), one())).toEqual([])
  expect(changeFaults(one(PARTIAL), one())[0]?.wayOut).toMatch(/inlet pause.*allow partial-responses-on:SensorsTrigger/)
})

test('a change that is meant is allowed by its name, and no other', () => {
  const settings = { timeoutSeconds: 120, memoryMegabytes: 1024, freshnessSeconds: null }
  const change = { template: one({ StartingPosition: 'LATEST' }), deployed: one() }
  const faults = (allowed: readonly string[]) => deploymentFaults([sensors], { ...settings, ...change, allowed })
  expect(faults(['replaced-trigger:SensorsTrigger'])).toEqual([])
  expect(faults(['replaced-trigger:OtherTrigger'])).toHaveLength(1)
})

const found = (triggers: Template, pipelines = [sensors]) =>
  mappingFaults(pipelines, triggers).map(({ kind, of }) => `${kind}:${of}`)

test('two triggers in one consumer group', () => {
  const both = template({ SensorsTrigger: TRIGGER, MetersTrigger: { ...TRIGGER, Topics: ['meters'] } })
  expect(found(both)).toEqual(['consumer-group:MetersTrigger'])
  const { AmazonManagedKafkaEventSourceConfig: _, ...ungrouped } = TRIGGER
  expect(found(template({ SensorsTrigger: ungrouped, MetersTrigger: { ...ungrouped, Topics: ['meters'] } }))).toEqual(
    [],
  )
})

test('a trigger listens exactly when its function answers partially', () => {
  const answering = { ...sensors, trigger: { ...sensors.trigger, partialResponses: true } }
  expect(found(one())).toEqual([])
  expect(found(one(PARTIAL), [answering])).toEqual([])
  expect(found(one(), [answering])).toEqual(['partial-responses:sensors'])
  expect(found(one(PARTIAL))).toEqual(['partial-responses:sensors'])
  const { ProvisionedPollerConfig: __, ...onDemand } = PARTIAL
  expect(found(one(onDemand), [answering])).toEqual(['partial-responses:SensorsTrigger'])
})
