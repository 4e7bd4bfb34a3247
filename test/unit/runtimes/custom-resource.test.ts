import { setTimeout as sleep } from 'node:timers/promises'
import { Logger } from '@aws-lambda-powertools/logger'
import type { Context } from 'aws-lambda'
import * as z from 'zod'
import { type CustomResource, customResourceHandler } from '#shared/runtimes/custom-resource.ts'
import { CloudFormationAnswers } from '#test/helpers/cloudformation-answers.ts'

interface Thing {
  readonly Name: string
  readonly Size: number
}

let answers: CloudFormationAnswers
let applied: Thing[]
let work: (thing: Thing, signal: AbortSignal) => Promise<void>

beforeEach(async () => {
  answers = await CloudFormationAnswers.start()
  applied = []
  work = async () => {}
})
afterEach(() => answers.stop())

const thing: CustomResource<Thing> = {
  properties: z.object({ Name: z.string(), Size: z.coerce.number() }),
  idOf: ({ Name }) => `thing:${Name}`,
  apply: async (properties, signal) => {
    applied.push(properties)
    await work(properties, signal)
    return { Name: properties.Name }
  },
}

const silent = new Logger({ logLevel: 'SILENT' })

function invoke(event: unknown, remaining = 60_000): Promise<void> {
  return customResourceHandler(thing, silent)(event, { getRemainingTimeInMillis: () => remaining } as Context)
}

const PROPERTIES = { ServiceToken: 'arn', Name: 'one', Size: '3' }

test('what is made gets a name that lasts, and CloudFormation is told in the words that it signed for', async () => {
  await invoke(answers.request('Create', PROPERTIES))
  expect(answers.answer).toEqual({
    Status: 'SUCCESS',
    PhysicalResourceId: 'thing:one',
    StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/inlet-dev/1',
    RequestId: 'request-0',
    LogicalResourceId: 'FlightsTopic',
    Data: { Name: 'one' },
  })
  const [{ method, headers, body } = { method: '', headers: {}, body: '' }] = answers.requests
  expect(method).toBe('PUT')
  // The signature is for a put without one.
  expect(headers['content-type']).toBeUndefined()
  expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
  await invoke(answers.request('Update', { ...PROPERTIES, Size: '4' }, 'thing:one'))
  expect(answers.answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'thing:one' })
  expect(applied).toEqual([
    { Name: 'one', Size: 3 },
    { Name: 'one', Size: 4 },
  ])
})

test('another thing has another name, so that CloudFormation asks for the old one to be deleted: it stays', async () => {
  await invoke(answers.request('Update', { ...PROPERTIES, Name: 'two' }, 'thing:one'))
  expect(answers.answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'thing:two' })
  applied = []
  await invoke(answers.request('Delete', PROPERTIES, 'thing:one'))
  expect(answers.answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'thing:one' })
  // What could not be made is deleted too, whatever was wrong with it.
  await invoke(answers.request('Delete', { Name: 7 }, 'FlightsTopic-request-0'))
  expect(answers.answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'FlightsTopic-request-0' })
  expect(applied).toEqual([])
})

test('a failure says what and why, and a failed change leaves the name as it was', async () => {
  work = () => Promise.reject(new Error('the thing is too small'))
  await invoke(answers.request('Create', PROPERTIES))
  const failed = { Status: 'FAILED', Reason: 'the thing is too small' }
  expect(answers.answer).toMatchObject({ ...failed, PhysicalResourceId: 'FlightsTopic-request-0' })
  await invoke(answers.request('Update', { ...PROPERTIES, Name: 'two' }, 'thing:one'))
  expect(answers.answer).toMatchObject({ ...failed, PhysicalResourceId: 'thing:one' })
  await invoke(answers.request('Create', { Size: '3' }))
  expect(answers.answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/properties.*Name:/) })
  expect(applied).toHaveLength(2)
})

test('when its time is nearly over it answers, whether the work heeds the signal or not', async () => {
  let signal: AbortSignal | undefined
  work = (_, given) => {
    signal = given
    return sleep(60_000, undefined, { ref: false })
  }
  await invoke(answers.request('Create', PROPERTIES), 1200)
  expect(answers.answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/no more time/) })
  expect(signal?.aborted).toBe(true)
  await invoke(answers.request('Create', PROPERTIES), 1000)
  expect(answers.requests).toHaveLength(2)
})

test.each([
  ['without its type', (request: Record<string, unknown>) => ({ ...request, RequestType: undefined })],
  ['of an unknown type', (request: Record<string, unknown>) => ({ ...request, RequestType: 'Read' })],
  ['without properties', (request: Record<string, unknown>) => ({ ...request, ResourceProperties: 'none' })],
  ['without ids', ({ ResponseURL }: Record<string, unknown>) => ({ ResponseURL })],
])('a request %s is answered', async (_, broken) => {
  await invoke(broken(answers.request('Update', PROPERTIES, 'thing:one')))
  expect(answers.answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/not one of CloudFormation/) })
  expect(answers.answer.PhysicalResourceId).toMatch(/^(thing:one|unread-)$/)
  expect(applied).toEqual([])
})

test.each([{}, null, 'Create', { ResponseURL: 'nowhere' }])('%j can be answered nowhere, and fails', async (event) => {
  await expect(invoke(event)).rejects.toThrow(/nobody to answer to/)
})

test('an answer that does not get through at first is put again', async () => {
  answers.expect('cut', 500, 503)
  await invoke(answers.request('Create', PROPERTIES))
  expect(answers.requests).toHaveLength(4)
  expect(new Set(answers.requests.map(({ body }) => body)).size).toBe(1)
})

test('an answer that nobody takes is a failure, which does not tell the URL', async () => {
  answers.expect(403)
  const refused = invoke(answers.request('Create', PROPERTIES))
  await expect(refused).rejects.toThrow(/FlightsTopic did not get through: HTTP 403$/)
  expect(answers.requests).toHaveLength(1)
  answers.expect(500, 500, 500, 500)
  await expect(invoke(answers.request('Create', PROPERTIES))).rejects.toThrow(/HTTP 500/)
  expect(answers.requests).toHaveLength(5)
})

test('a reason is cut to what CloudFormation reads', async () => {
  work = () => Promise.reject(new Error(`long: ${'"é😀'.repeat(5000)}`))
  await invoke(answers.request('Create', PROPERTIES))
  const body = answers.requests[0]?.body ?? ''
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096)
  expect(Buffer.byteLength(body)).toBeGreaterThan(3000)
  expect(answers.answer.Reason).toMatch(/^long: .*…$/)
})
