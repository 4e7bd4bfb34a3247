import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const binaries = path.join(projectRoot, 'node_modules/.bin')

/** Runs the Serverless Framework as `npx serverless` does, without credentials and on the project's Node. */
function serverless(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { LAKE_URL: _, ...inherited } = process.env
  const paths = `${binaries}${path.delimiter}${process.env['PATH']}`
  const env = { ...inherited, NODE_OPTIONS: '', PATH: paths, ...environment }
  return spawnSync(path.join(binaries, 'serverless'), args, { cwd: projectRoot, env, encoding: 'utf8' })
}

test('`invoke local` lands an event by the bundle that is deployed, in the directory that the user means', async () => {
  const lake = path.join(directory(), 'lake')
  const invoke = () =>
    serverless(['invoke', 'local', '-f', 'flights', '--path', 'events/flights/batch.json'], {
      LAKE_URL: `file:${path.relative(directory(), lake)}`,
      PWD: directory(),
    })
  const first = invoke()
  expect({ status: first.status, stderr: first.stderr }).toMatchObject({ status: 0 })
  expect(first.stdout).toMatch(/"message":"slice landed".*"written":10/)
  expect(invoke().stdout).toMatch(/"known":10,"written":0/)
  const { code, stdout } = await inlet(['verify', '--deep', '--lake', lake, '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ commits: 1, counts: { records: 10, written: 10 }, orphans: [] })
})

test('`invoke local` redrives what the bundle has refused', async () => {
  const environment = { LAKE_URL: `file:${path.join(directory(), 'lake')}`, PWD: directory() }
  const invoke = (name: string, ...args: string[]) => serverless(['invoke', 'local', '-f', name, ...args], environment)
  expect(invoke('flights', '--path', 'events/flights/poison-json.json')).toMatchObject({ status: 0 })
  const refused = invoke('redrive', '--data', '{"pipeline":"flight"}')
  expect(`${refused.stdout}${refused.stderr}`).toMatch(/has no pipeline .*; there are: flights/)
  const { status, stdout } = invoke('redrive', '--data', '{"pipeline":"flights","where":{"code":"JSON_INVALID"}}')
  expect(status).toBe(0)
  expect(stdout).toMatch(/"done": true,[^]*"found": 1,[^]*"rejected": 1,/)
  expect(stdout).toMatch(/"message":"slice landed".*"rejected":1/)
  expect(await inlet(['verify', '--deep', '--lake', path.join(directory(), 'lake')])).toMatchObject({ code: 0 })
})

test('an event that cannot be landed is an error of the function', () => {
  const { status, stdout, stderr } = serverless(['invoke', 'local', '-f', 'flights', '--data', '{"records":{}}'], {
    LAKE_URL: `file:${path.join(directory(), 'lake')}`,
  })
  expect(status).not.toBe(0)
  expect(`${stdout}${stderr}`).toMatch(/not an MSK event: eventSource/)
})

test('`package` points the function to the bucket', () => {
  const folder = path.join(directory(), 'package')
  const { status, stderr } = serverless(['package', '--package', folder])
  expect({ status, stderr }).toMatchObject({ status: 0 })
  const template = JSON.parse(readFileSync(path.join(folder, 'cloudformation-template-update-stack.json'), 'utf8')) as {
    Resources: Record<string, { Type: string; DeletionPolicy?: string; Properties: Record<string, unknown> }>
  }
  expect(template.Resources['RedriveLambdaFunction']?.Properties).toMatchObject({ Timeout: 900, MemorySize: 1024 })
  const { FlightsLambdaFunction: lambda, LakeBucket: bucket } = template.Resources
  expect(lambda?.Properties).toMatchObject({
    Runtime: 'nodejs24.x',
    Handler: 'functions/flights/handler.handler',
    Environment: { Variables: { LAKE_URL: { 'Fn::Sub': 's3://${LakeBucket}' } } },
  })
  expect(bucket).toMatchObject({ Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' })
})
