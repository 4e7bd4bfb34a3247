import process from 'node:process'
import { openFunctionTriggers } from '#shared/cli/lambda-triggers.ts'
import { switchedPage, switchTriggers, type Wish } from '#shared/cli/trigger-switch.ts'
import { inlet } from '#test/helpers/command.ts'
import { LambdaApi } from '#test/helpers/lambda-api.ts'

let api: LambdaApi
let states: string[]

beforeEach(async () => {
  api = await LambdaApi.start()
  states = []
})
afterEach(() => api.stop())

function change(wish: Wish, withinMs = 5000) {
  const triggers = openFunctionTriggers({ ...api.access, maxAttempts: 1 })
  return switchTriggers(triggers, 'inlet-dev-flights', wish, {
    now: () => performance.now(),
    pollMs: 5,
    withinMs,
    onState: (id, state) => states.push(`${id} ${state}`),
  })
}

test('a trigger is paused and resumed, and waited for; doing it again asks for nothing', async () => {
  api.add('inlet-dev-flights', 't1', 'Enabled')
  const paused = await change('pause')
  expect(paused).toEqual([{ id: 't1', topics: ['flights'], was: 'Enabled', is: 'Disabled' }])
  expect(states).toEqual(['t1 Enabled', 't1 Disabling'])
  expect(api.changes).toEqual(['t1 {"Enabled":false}'])
  const again = await change('pause')
  expect(api.changes).toHaveLength(1)
  expect(switchedPage('inlet-dev-flights', again)).toBe(
    'The trigger of inlet-dev-flights for flights (t1) was Disabled already.',
  )
  expect(await change('resume')).toMatchObject([{ was: 'Disabled', is: 'Enabled' }])
  expect(api.changes).toEqual(['t1 {"Enabled":false}', 't1 {"Enabled":true}'])
})

test('all triggers of a function, on as many pages as there are', async () => {
  for (const id of ['t1', 't2', 't3']) api.add('inlet-dev-flights', id, 'Enabled')
  expect((await change('pause')).map(({ id, is }) => [id, is])).toEqual([
    ['t1', 'Disabled'],
    ['t2', 'Disabled'],
    ['t3', 'Disabled'],
  ])
})

test('one that is on the way already is only waited for', async () => {
  api.add('inlet-dev-flights', 't1', 'Disabling').looks = 2
  expect(await change('pause')).toMatchObject([{ was: 'Disabling', is: 'Disabled' }])
  expect(api.changes).toEqual([])
})

test('one that a deployment is changing is asked until it takes it', async () => {
  api.add('inlet-dev-flights', 't1', 'Updating').looks = 3
  api.busy = 2
  expect(await change('pause')).toMatchObject([{ is: 'Disabled' }])
  expect(api.changes).toHaveLength(3)
})

test('what cannot be done says why, and what to do', async () => {
  await expect(change('pause')).rejects.toThrow(
    /^cannot list the triggers of inlet-dev-flights: Function not found \(there is no such function: check the stage/,
  )
  api.functions.set('inlet-dev-flights', [])
  await expect(change('pause')).rejects.toThrow(/has no trigger: is it deployed/)
  api.add('inlet-dev-flights', 't1', 'Deleting')
  await expect(change('pause')).rejects.toThrow(/t1 is being deleted/)
})

test.each([
  [403, 'AccessDeniedException', /they need lambda:ListEventSourceMappings.*lambda:UpdateEventSourceMapping/],
  [403, 'ExpiredTokenException', /expired: log in again/],
  [403, 'UnrecognizedClientException', /does not know these credentials/],
])('HTTP %d %s', async (status, error, message) => {
  api.refusal = { status, error }
  await expect(change('resume')).rejects.toThrow(message)
})

test('one that takes too long is left to Lambda', async () => {
  api.add('inlet-dev-flights', 't1', 'Disabling')
  await expect(change('pause', 20)).rejects.toThrow(/still Disabling: Lambda goes on with it; call pause again/)
})

describe('the commands', () => {
  const before = { ...process.env }
  afterEach(() => {
    process.env = { ...before }
  })

  const environment = (credentials: Record<string, string>) => {
    const { AWS_ACCESS_KEY_ID: _, AWS_PROFILE: __, ...rest } = before
    const nowhere = {
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    }
    process.env = {
      ...rest,
      ...nowhere,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_LAMBDA: api.endpoint,
      ...credentials,
    }
  }

  test('pause, and resume, the function of a pipeline in a stage', async () => {
    environment({ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })
    api.add('inlet-prod-flights', 't1', 'Enabled')
    const paused = await inlet(['pause', 'flights', '--stage', 'prod'])
    expect(paused).toMatchObject({
      code: 0,
      stdout: 'The trigger of inlet-prod-flights for flights (t1) is Disabled.\n',
      stderr: 't1: Enabled …\nt1: Disabling …\n',
    })
    const resumed = await inlet(['resume', 'flights', '--stage', 'prod', '--json'])
    expect(JSON.parse(resumed.stdout)).toMatchObject({ function: 'inlet-prod-flights', triggers: [{ is: 'Enabled' }] })
    const elsewhere = await inlet(['pause', 'flights', '--stage', 'dev'])
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/inlet-dev-flights.*no such function/) })
  })

  test('say that there are no credentials', async () => {
    environment({})
    const { code, stderr } = await inlet(['pause', 'flights', '--stage', 'prod'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/there are no credentials: set AWS_PROFILE/)])
  })
})
