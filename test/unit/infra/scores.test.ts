import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { commitTables } from '#shared/lake/pipeline-tables.ts'
import { pipelineHandler } from '#shared/runtimes/lambda.ts'
import { rescoreHandler } from '#shared/runtimes/rescore.ts'
import { breakerMemory } from '#shared/runtimes/scorer.ts'
import { EndpointFault } from '#shared/scoring/endpoint-faults.ts'
import { EndpointScorer } from '#shared/scoring/endpoint-scorer.ts'
import type { AskedFor } from '#test/helpers/granted.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { manyOf, POLICY_CHARACTERS, policySize } from '#test/helpers/policy-size.ts'
import { context, loud, RecordingAccount } from '#test/helpers/recording-account.ts'
import { expectJustEnough, grants } from '#test/helpers/role-grants.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { deployed } from '#test/helpers/stage.ts'

const scored = locked(scoredSensors({ endpoint: 'Sensor-Risk' }))
const idsOf = (resources: object): string[] => Object.keys(resources)

test('a stage without scores has neither function nor role for them', () => {
  const { functions, resources } = deployed([sensors])
  expect(functions).not.toHaveProperty('rescore')
  const ids = idsOf(resources.Resources)
  expect(ids.filter((id) => /Rescore|EndpointAway|Unscored/.test(id))).toEqual([])
  expect(JSON.stringify(resources.Resources)).not.toContain('sagemaker')
})

test('rows that wait are scored on a schedule, and endpoints that are away are told', () => {
  const { functions, resources } = deployed([scored])
  expect(functions['rescore']).toMatchObject({
    handler: 'functions/rescore/handler.handler',
    maximumRetryAttempts: 0,
    environment: { LAKE_CATALOG: '${env:LAKE_CATALOG, self:custom.catalog}' },
    events: [{ schedule: 'rate(5 minutes)' }],
  })
  const ids = idsOf(resources.Resources)
  expect(ids).toEqual(expect.arrayContaining(['RescoreRole', 'RescoreWaitingAlarm', 'RescoreFailingAlarm']))
  expect(ids).toEqual(expect.arrayContaining(['SensorsEndpointAwayAlarm', 'SensorsUnscoredAlarm']))
  expect(resources.extensions).toHaveProperty('RescoreLambdaFunction')
  expect(JSON.stringify(resources.Resources['Dashboard'])).toContain('breaker open')
})

test('the role of as many pipelines as a stack can have is not too large', () => {
  const { resources } = deployed(manyOf(scored))
  expect(policySize(resources.Resources, 'RescoreRole')).toBeLessThan(POLICY_CHARACTERS)
})

test('a pipeline may not be called rescore', () => {
  expect(() => deployed([{ ...scored, name: 'rescore' }])).toThrow('pipeline rescore: a function of that name is there')
})

const ENDPOINT = 'arn:aws:sagemaker:us-east-1:123456789012:endpoint/sensor-risk'

/** A scorer whose endpoint goes away and comes back, again and again: what is remembered of it changes, too. */
function scorerOf(account: RecordingAccount): EndpointScorer {
  let requests = 0
  let now = 0
  return new EndpointScorer({
    invoke: (score, body) => {
      account.asked.push({ action: 'sagemaker:InvokeEndpoint', resource: ENDPOINT })
      if (requests++ % 2 === 0) throw new EndpointFault('refused', 'away')
      const lines = String(body)
        .split('\n')
        .map((line) => String(Number(line) / 1000))
      return Promise.resolve({ body: Buffer.from(lines.join('\n')), contentType: 'text/csv', modelVersion: score.name })
    },
    memory: breakerMemory(account.lake),
    now: () => (now += 1_000_000),
    random: () => 0,
  })
}

async function land(account: RecordingAccount, scorer: EndpointScorer, offset: number): Promise<void> {
  const surroundings = { lake: new ObjectStoreLake(account.lake), telemetry: loud, concurrency: 2, scorer }
  await pipelineHandler(scored, () => surroundings)(sensorEvent([reading(1), '{'], 0, offset), context)
}

test('a pipeline with scores may ask its endpoints, and remember which are away', async () => {
  const account = await RecordingAccount.withTables(scored)
  const scorer = scorerOf(account)
  for (const offset of [10, 5, 20, 30, 40, 50]) await land(account, scorer, offset)
  expectJustEnough(account.asked, grants('SensorsRole', [scored]))
})

test('the function of rows that wait may do what it does, and no more', async () => {
  const account = await RecordingAccount.withTables(scored)
  const scorer = scorerOf(account)
  const telemetry = { ...loud, rescored() {} }
  const handler = rescoreHandler([scored, sensors], { ...account.surroundings, scorer, telemetry })
  const asked: AskedFor[] = []
  for (const offset of [10, 20, 30, 40]) {
    await land(account, scorer, offset)
    await land(account, scorer, offset + 5)
    await commitTables(account.bare, scored)
    account.asked.length = 0
    await handler({}, context)
    asked.push(...account.asked)
  }
  expectJustEnough(asked, grants('RescoreRole', [scored, sensors]))
})
