import { Readable } from 'node:stream'
import type { CloudFormationClientConfig } from '@aws-sdk/client-cloudformation'
import { flights } from '#functions/flights/pipeline.ts'
import { deployed, stage } from '#test/helpers/stage.ts'
import DeploymentPlugin from '../../../infra/deployment-plugin.ts'
import type { Template } from '../../../infra/template.ts'

const NO_STACK = new Error('Stack with id inlet-dev does not exist')
const XMLNS = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'

/** How CloudFormation answers to who asks for a template (its API reference, "GetTemplate"). */
function answerOf(stack: Template | Error): { statusCode: number; body: Readable } {
  const escaped = JSON.stringify(stack).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const body =
    stack instanceof Error
      ? `<ErrorResponse ${XMLNS}><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${stack.message}</Message></Error></ErrorResponse>`
      : `<GetTemplateResponse ${XMLNS}><GetTemplateResult><TemplateBody>${escaped}</TemplateBody></GetTemplateResult></GetTemplateResponse>`
  return { statusCode: stack instanceof Error ? 400 : 200, body: Readable.from([Buffer.from(body)]) }
}

/** The template of a stage that has a cluster which is there already. */
function templateWith(changes: Readonly<Record<string, unknown>> = {}): Template {
  const { Resources } = deployed([flights], stage({ clusterArn: CLUSTER })).resources
  const trigger = {
    ...Resources['FlightsTrigger'],
    Properties: { ...Resources['FlightsTrigger']?.Properties, ...changes },
  }
  return { Resources: { ...Resources, FlightsTrigger: trigger } } as Template
}

const CLUSTER = 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123-ab-s1'

class RefusedError extends Error {}

/** The Framework, with something packaged and a stack that is deployed, or an error in its place. */
function plugin(template: Template, stack: Template | Error, { allow = '', timeout = 120 } = {}) {
  const told: string[] = []
  const asked: unknown[] = []
  const serverless = {
    service: {
      provider: { compiledCloudFormationTemplate: template, timeout, memorySize: 1024 },
      custom: { settings: stage({ clusterArn: CLUSTER, allow }) },
    },
    classes: { Error: RefusedError },
    getProvider: () => ({
      getAwsSdkV3Config: () => {
        const handle = (request: { body: string }) => {
          asked.push(Object.fromEntries(new URLSearchParams(request.body)))
          return Promise.resolve({ response: { headers: { 'content-type': 'text/xml' }, ...answerOf(stack) } })
        }
        const requestHandler = { handle } as unknown as NonNullable<CloudFormationClientConfig['requestHandler']>
        const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' }
        return Promise.resolve({ region: 'us-east-1', credentials, requestHandler, maxAttempts: 1 })
      },
    }),
  }
  const output = { log: { notice: (text: string) => void told.push(text) } }
  const { hooks } = new DeploymentPlugin(serverless, {}, output)
  return {
    told,
    asked,
    package: hooks['after:aws:package:finalize:mergeCustomProviderResources'],
    deploy: hooks['before:deploy:deploy'],
  }
}

test('before the first deployment it says what an idle stack costs', async () => {
  const { deploy, told, asked } = plugin(templateWith(), NO_STACK)
  await deploy()
  expect(told).toEqual([expect.stringMatching(/^An idle stack costs \$\d+\.\d\d a month/)])
  expect(asked).toMatchObject([{ Action: 'GetTemplate', StackName: 'inlet-dev', TemplateStage: 'Original' }])
})

test('what is deployed again as it is, is deployed without a word', async () => {
  const { deploy, told } = plugin(templateWith(), templateWith())
  await deploy()
  expect(told).toEqual([])
})

test('what would harm what is deployed is refused, with the way out and how to allow it', async () => {
  const over = templateWith({ StartingPosition: 'LATEST' })
  await expect(plugin(templateWith(), over).deploy()).rejects.toThrow(RefusedError)
  await expect(plugin(templateWith(), over).deploy()).rejects.toThrow(
    /FlightsTrigger \(replaced-trigger\): [^]*Way out: [^]*--param="allow=<kind>:<of>"/,
  )
  await plugin(templateWith(), over, { allow: 'replaced-trigger:FlightsTrigger' }).deploy()
})

test('packaging asks nobody, and refuses what is wrong by itself', async () => {
  const { package: pack, asked } = plugin(templateWith(), NO_STACK)
  await pack()
  expect(asked).toEqual([])
  await expect(plugin(templateWith(), NO_STACK, { timeout: 900 }).package()).rejects.toThrow('functions (timeout)')
})

test('when it cannot be known what is deployed, nothing is', async () => {
  const denied = new Error('User is not authorized to perform: cloudformation:GetTemplate')
  await expect(plugin(templateWith(), denied).deploy()).rejects.toThrow('GetTemplate')
})
