import * as z from 'zod'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import type { TopicSettingsOptions } from '#shared/pipeline/topic-settings.ts'
import type { TriggerOptions } from '#shared/pipeline/trigger.ts'
import { stage } from '#test/helpers/stage.ts'
import { eventSourceMapping, mappingId } from '../../../infra/event-source-mapping.ts'
import { deploymentFaults, type DeploymentSettings } from '../../../infra/deployment-checks.ts'

const SETTINGS: DeploymentSettings = {
  timeoutSeconds: 120,
  memoryMegabytes: 1024,
  freshnessSeconds: null,
  template: null,
  deployed: null,
  allowed: [],
}

interface Declared {
  readonly trigger?: TriggerOptions
  readonly topicSettings?: TopicSettingsOptions
  readonly name?: string
}

const pipeline = ({ trigger = {}, topicSettings = {}, name = 'clicks' }: Declared = {}): Pipeline =>
  definePipeline({
    name,
    topic: 'clicks',
    topicSettings,
    trigger,
    event: z.object({ a: z.string() }),
    row: z.object({ a: z.string() }),
    transform: ({ value }) => value,
    lake: { table: 'clicks', layout: 'files' },
  })

const kinds = (pipelines: readonly Pipeline[], settings: Partial<DeploymentSettings> = {}) =>
  deploymentFaults(pipelines, { ...SETTINGS, ...settings }).map(({ kind, of }) => `${kind}:${of}`)

test('what a pipeline has by default is safe, on demand and provisioned', () => {
  expect(kinds([pipeline()])).toEqual([])
  expect(kinds([pipeline({ trigger: { mode: 'provisioned' }, topicSettings: { partitions: 8 } })])).toEqual([])
})

test.each<[string, Declared, string | undefined]>([
  ['for ever, on a topic that forgets within hours', { topicSettings: { retention: '12 hours' } }, 'retention:clicks'],
  ['just short of a weekend', { topicSettings: { retention: '71 hours' } }, 'retention:clicks'],
  ['over a weekend', { topicSettings: { retention: '3 days' } }, undefined],
  ['while the topic keeps everything', { topicSettings: { retention: 'forever' } }, undefined],
  [
    'until it goes to a destination',
    { topicSettings: { retention: '12 hours' }, trigger: { failureDestination: 's3://failed' } },
    undefined,
  ],
])('a batch that fails is delivered again: %s', (_, declared, fault) => {
  expect(kinds([pipeline(declared)])).toEqual(fault === undefined ? [] : [fault])
})

test.each<[TriggerOptions, boolean]>([
  [{ mode: 'provisioned', maximumRetryAttempts: 3 }, true],
  [{ mode: 'provisioned', maximumRecordAgeSeconds: 3600 }, true],
  [{ mode: 'provisioned', maximumRetryAttempts: 3, failureDestination: 's3://failed' }, false],
])('what %j gives up is not lost', (trigger, isLost) => {
  expect(kinds([pipeline({ trigger })])).toEqual(isLost ? ['given-up:clicks'] : [])
})

test('a pipeline that answers partially on demand is refused, wherever it comes from', () => {
  const made = pipeline()
  expect(kinds([{ ...made, trigger: { ...made.trigger, partialResponses: true } }])).toEqual([
    'partial-responses:clicks',
  ])
})

test.each<[{ minimum?: number; maximum?: number }, number | undefined, string | undefined]>([
  [{ minimum: 9 }, 8, 'minimum'],
  [{ minimum: 8, maximum: 8 }, 8, undefined],
  [{ maximum: 9 }, 8, 'maximum'],
  // What nobody asked for is a ceiling, and not a mistake.
  [{}, 8, undefined],
  [{ minimum: 9 }, undefined, undefined],
])('pollers %j for %s partitions', (pollers, partitions, option) => {
  const topicSettings = partitions === undefined ? {} : { partitions }
  const declared = pipeline({ trigger: { mode: 'provisioned', pollers }, topicSettings })
  const [fault, another] = deploymentFaults([declared], SETTINGS)
  expect([fault?.kind, another]).toEqual([option === undefined ? undefined : 'pollers', undefined])
  expect(fault?.wayOut ?? 'none').toContain(option === undefined ? 'none' : `pollers.${option}: at most ${partitions}`)
})

test.each<[number, number, number]>([
  [841, 1024, 1],
  [840, 1024, 0],
  // 0.25 s of a vCPU at 256 of 1,769 MB, and 30 s for a call that hangs, are nine tenths of 35.3 s.
  [35, 256, 1],
  [36, 256, 0],
  [34, 1769, 0],
  [33, 1769, 1],
])('a timeout of %d s with %d MB: %d faults', (timeoutSeconds, memoryMegabytes, count) => {
  const found = kinds([pipeline()], { timeoutSeconds, memoryMegabytes })
  expect(found).toEqual(Array.from({ length: count }, () => 'timeout:functions'))
})

test('a function that is too small to refuse a record is refused', () => {
  expect(kinds([pipeline()], { memoryMegabytes: 255, timeoutSeconds: 60 })).toEqual(['memory:functions'])
})

const REGISTRY = { uri: 'https://schemas.example' }
const decoded = (more: object = {}, failureDestination = 's3://failed'): TriggerOptions => ({
  mode: 'provisioned',
  failureDestination,
  schemaRegistry: { ...REGISTRY, ...more },
})

test.each<[string, TriggerOptions, RegExp | undefined]>([
  ['as JSON, with a bucket for what does not fit', decoded(), undefined],
  ['of key and value', decoded({ validate: ['KEY', 'VALUE'] }), undefined],
  ['with nowhere to put what does not fit', { mode: 'provisioned', schemaRegistry: REGISTRY }, /are dropped by Lambda/],
  ['as it was sent', decoded({ recordFormat: 'SOURCE' }), /takes the id of the schema off/],
  ['of the key alone', decoded({ validate: ['KEY'] }), /with the id of their schema before them/],
])('a schema registry decodes records: %s', (_, trigger, reason) => {
  const found = deploymentFaults([pipeline({ trigger })], SETTINGS)
  expect(found.map(({ kind }) => kind)).toEqual(reason === undefined ? [] : ['schema-registry'])
  expect(found[0]?.reason ?? 'none').toMatch(reason ?? /none/)
})

test('a topic for what is given up is read by nobody: that has to be meant, and it may not be the one it comes from', () => {
  const giving = (to: string) => [pipeline({ trigger: { mode: 'provisioned', failureDestination: `kafka://${to}` } })]
  const allowed = ['failure-destination:clicks']
  expect(deploymentFaults(giving('failed'), SETTINGS)[0]?.reason).toMatch(/redrive" finds batches in buckets only/)
  expect(kinds(giving('failed'))).toEqual(allowed)
  expect(kinds(giving('failed'), { allowed })).toEqual([])
  expect(kinds(giving('clicks'), { allowed })).toEqual(allowed)
})

test('two pipelines that declare one consumer group', () => {
  const trigger = { consumerGroup: 'sink' }
  const two = [pipeline({ trigger }), pipeline({ trigger, name: 'views' })]
  const triggers = two.map((each) => [mappingId(each), eventSourceMapping(stage(), each)] as const)
  const template = { Resources: Object.fromEntries(triggers) }
  expect(kinds(two, { template })).toEqual(['consumer-group:ViewsTrigger'])
})

test('a window is within the freshness asked for', () => {
  const slow = pipeline({ trigger: { batchingWindowSeconds: 60 } })
  expect(kinds([slow], { freshnessSeconds: 59 })).toEqual(['freshness:clicks'])
  expect(kinds([slow], { freshnessSeconds: 60 })).toEqual([])
})

test('two pipelines of one name would share a consumer group', () => {
  expect(kinds([pipeline(), pipeline({ name: 'views' }), pipeline()])).toEqual(['same-name:clicks'])
})

test('what nothing makes safe cannot be allowed', () => {
  const lossy = pipeline({ trigger: { mode: 'provisioned', maximumRetryAttempts: 3 } })
  expect(kinds([lossy], { allowed: ['given-up:clicks'] })).toEqual(['given-up:clicks'])
})

test('a fault says why, and what to do', () => {
  const [fault] = deploymentFaults([pipeline({ topicSettings: { retention: '90 minutes' } })], SETTINGS)
  expect(fault?.reason).toMatch(/clicks keeps records for 2 h only/)
  expect(fault?.wayOut).toMatch(/retention: '3 days'.*failureDestination/)
})
