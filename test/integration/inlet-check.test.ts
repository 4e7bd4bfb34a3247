import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()

/** A file with a pipeline that reads `flights`, its declaration and its trigger as told. */
async function pipelineIn(name: string, { trigger = '{}', row = 'z.string()', lake = "layout: 'files'" } = {}) {
  const file = path.join(directory(), `${name}.ts`)
  await writeFile(
    file,
    `import * as z from ${JSON.stringify(path.join(projectRoot, 'node_modules/zod/index.js'))}
import { definePipeline } from ${JSON.stringify(path.join(projectRoot, 'shared/pipeline/pipeline.ts'))}
export const made = definePipeline({ name: '${name}', topic: 'clicks', trigger: ${trigger}, topicSettings: { partitions: 2 },
  event: z.object({ a: z.string() }), row: z.object({ a: ${row} }), transform: () => null, lake: { table: 'clicks', ${lake} } })`,
  )
  return file
}

test('the pipelines of the project may be deployed', async () => {
  const { code, stdout } = await inlet(['check'])
  expect([code, stdout]).toEqual([0, 'flights for the stage dev: nothing speaks against deploying.\n'])
})

test('a fault is told with its reason and the way out, and as JSON', async () => {
  const file = await pipelineIn('lossy', {
    trigger: "{ mode: 'provisioned', maximumRetryAttempts: 2, pollers: { minimum: 3 } }",
  })
  const { code, stdout } = await inlet(['check', 'flights', file])
  expect(code).toBe(1)
  expect(stdout).toMatch(/: 2 faults\n\nlossy \(pollers\)\n  3 pollers for the 2 partitions.*\n  Way out: declare/)
  expect(stdout).toMatch(/lossy \(given-up\)/)
  const json = await inlet(['check', file, '--json'])
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
    1,
    { faults: [{ kind: 'pollers', of: 'lossy' }, { kind: 'given-up' }] },
  ])
})

test('a trigger and a table that are deployed are compared with', async () => {
  const file = await pipelineIn('moved')
  const against = path.join(directory(), 'deployed.json')
  const Properties = {
    Topics: ['clicks'],
    StartingPosition: 'LATEST',
    AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'inlet-dev-moved' },
    EventSourceArn: { 'Fn::GetAtt': ['KafkaCluster', 'Arn'] },
  }
  const template = { Resources: { MovedTrigger: { Type: 'AWS::Lambda::EventSourceMapping', Properties } } }
  // As the AWS CLI prints it.
  await writeFile(against, JSON.stringify({ TemplateBody: template }))
  const { code, stdout } = await inlet(['check', file, '--against', against])
  expect(code).toBe(1)
  expect(stdout).toMatch(/MovedTrigger \(replaced-trigger\)\n  StartingPosition would change/)
})

test('the triggers of pipelines that are not checked are not gone', async () => {
  const against = path.join(directory(), 'deployed.json')
  const Properties = { Topics: ['clicks'], EventSourceArn: { 'Fn::GetAtt': ['KafkaCluster', 'Arn'] } }
  const template = { Resources: { FlightsTrigger: { Type: 'AWS::Lambda::EventSourceMapping', Properties } } }
  await writeFile(against, JSON.stringify(template))
  const { code, stdout } = await inlet(['check', await pipelineIn('another'), '--against', against])
  expect([code, stdout]).toEqual([0, expect.stringMatching(/against .*deployed.json: nothing speaks against/)])
})

test('a contract that its lock does not know is a fault, with the difference named', async () => {
  const { code, stdout } = await inlet(['check', await pipelineIn('unlocked', { lake: 'lock: {}' })])
  expect([code, stdout]).toEqual([1, expect.stringMatching(/\(contract\)\n.*it has no id for "a"/)])
})

test('a declaration that is wrong is another fault, which has nothing to do with a contract', async () => {
  const pipeline = await pipelineIn('lossy', { trigger: "{ failureDestination: 'kafka://failed' }" })
  const { code, stdout } = await inlet(['check', pipeline])
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(/\(declaration\)\n.*a topic needs mode: 'provisioned'.*\n.*mend what it names/),
  ])
})

test('wrong calls', async () => {
  expect(await inlet(['check', 'nothing'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/unknown pipeline/),
  })
  expect(await inlet(['check', '--stage', 'A B'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--stage A B/),
  })
  const { code, stderr } = await inlet(['check', '--against', path.join(projectRoot, 'package.json')])
  expect([code, stderr]).toEqual([2, expect.stringMatching(/has Resources, and this has none/)])
})
