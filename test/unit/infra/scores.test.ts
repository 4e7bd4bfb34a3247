import { locked } from '#test/helpers/lake-table.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'
import { sensors } from '#test/helpers/sensors.ts'
import { deployed } from '#test/helpers/stage.ts'

const scored = locked(scoredSensors())
const idsOf = (resources: object): string[] => Object.keys(resources)

test('a stage without scores has neither function nor role for them', () => {
  const { functions, resources } = deployed([locked(sensors)])
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

test('a pipeline may not be called rescore', () => {
  expect(() => deployed([{ ...scored, name: 'rescore' }])).toThrow('pipeline rescore: a function of that name is there')
})
