import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { readConfig } from '#shared/config.ts'
import { kafkaOf } from '#shared/kafka-settings.ts'
import { type Json, resourceProperties } from '#test/helpers/cloudformation.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { InfrastructureLinters } from '#test/helpers/infrastructure-linters.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const folder = path.join(projectRoot, 'infra/container')
const textOf = (file: string): string => readFileSync(path.join(folder, file), 'utf8')
const directory = temporaryDirectory()
let linters: InfrastructureLinters

beforeAll(async () => {
  linters = await InfrastructureLinters.open()
}, VENV_TIMEOUT_MS)

/** A part of a document. */
function part(node: Json, ...keys: readonly (string | number)[]): Json {
  return keys.reduce<Json>((found, key) => (found as { readonly [key: string]: Json })?.[key] ?? null, node)
}

/** The seconds that it may take to land what it has when it is told to stop: the default of `--drain`. */
const DRAINS_WITHIN_S = 25

describe('the image', () => {
  test('hadolint has nothing against it', () => {
    expect(linters.image(path.join(folder, 'Containerfile'))).toBe('')
  })

  test("its Node is the project's, by its digest", () => {
    const { devDependencies } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    const image = /^ARG NODE=docker\.io\/library\/node:(?<version>[\d.]+)-\w+-slim@sha256:[0-9a-f]{64}$/m
    expect(image.exec(textOf('Containerfile'))?.groups?.['version']).toBe(devDependencies['node'])
    const stages = textOf('Containerfile').match(/^FROM .*$/gm) ?? []
    for (const stage of stages) expect(stage).toContain('${NODE}')
  })
})

describe('the templates', () => {
  test.each(['role.yml', 'ecs-service.yml'])('cfn-lint has nothing against %s', (file) => {
    expect(linters.template(path.join(folder, file))).toBe('')
  })

  const parameters = {
    Platform: 'ecs',
    Pipeline: 'flights',
    Table: 'flights',
    Topic: 'flights',
    ConsumerGroup: 'inlet-flights',
    MskClusterArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123-ab-s1',
    LakeBucket: 'lake',
    Image: `inlet@sha256:${'0'.repeat(64)}`,
    KafkaBrokers: 'boot-1.c1.kafka-serverless.us-east-1.amazonaws.com:9098',
    TaskRoleArn: 'arn:aws:iam::123456789012:role/consumer',
  }

  test.each(['ecs', 'eks', 'ec2'])('on %s the role names each action, and what it may touch', (platform) => {
    const template = linters.readTemplate(path.join(folder, 'role.yml'))
    const role = resourceProperties(template, 'ConsumerRole', { ...parameters, Platform: platform })
    const statements = part(role, 'Policies', 0, 'PolicyDocument', 'Statement') as readonly Json[]
    const rights = statements.flatMap((statement) =>
      [part(statement, 'Action')].flat().map((action) => [action, part(statement, 'Resource')]),
    )
    expect(rights.map(([action]) => action).filter((action) => String(action).includes('*'))).toEqual([])
    const arn = 'arn:aws:kafka:us-east-1:123456789012'
    expect(Object.fromEntries(rights.filter(([action]) => String(action).startsWith('kafka-cluster:')))).toEqual({
      'kafka-cluster:Connect': parameters.MskClusterArn,
      'kafka-cluster:DescribeTopic': `${arn}:topic/events/0123-ab-s1/flights`,
      'kafka-cluster:ReadData': `${arn}:topic/events/0123-ab-s1/flights`,
      'kafka-cluster:DescribeGroup': `${arn}:group/events/0123-ab-s1/inlet-flights`,
      'kafka-cluster:AlterGroup': `${arn}:group/events/0123-ab-s1/inlet-flights`,
    })
    const trust = part(role, 'AssumeRolePolicyDocument', 'Statement', 0)
    expect(trust).toMatchObject(
      {
        ecs: { Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: ['sts:AssumeRole'] },
        eks: { Principal: { Service: 'pods.eks.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
        ec2: { Principal: { Service: 'ec2.amazonaws.com' }, Action: ['sts:AssumeRole'] },
      }[platform] as object,
    )
    expect(part(trust, 'Condition', 'StringEquals', 'aws:SourceAccount')).toBe(
      platform === 'ec2' ? null : '123456789012',
    )
  })

  test('the task is told what the consumer has to know, and has the time to drain', () => {
    const template = linters.readTemplate(path.join(folder, 'ecs-service.yml'))
    const task = resourceProperties(template, 'TaskDefinition', parameters)
    const container = part(task, 'ContainerDefinitions', 0)
    const variables = part(container, 'Environment') as readonly { Name: string; Value: string }[]
    expectSettings(Object.fromEntries(variables.map(({ Name, Value }) => [Name, Value])))
    expect(part(container, 'StopTimeout')).toBeGreaterThan(DRAINS_WITHIN_S)
    expect(part(container, 'Command')).toEqual(consume('flights', '0.0.0.0:8080', '/var/lib/inlet'))
  })
})

/** The command line behind the entry point of the image. */
const consume = (pipeline: string, listen: string, scratch: string, app = '/app'): string[] => [
  'consume',
  `${app}/functions/${pipeline}/pipeline.mjs`,
  '--listen',
  listen,
  '--scratch',
  scratch,
]

/** They are enough for the consumer, by the rules that it reads them by: IAM over TLS, and a lake in S3. */
function expectSettings(environment: Readonly<Record<string, string>>): void {
  expect(kafkaOf(environment)).toMatchObject({ tls: {}, auth: { kind: 'aws-msk-iam', region: 'us-east-1' } })
  expect(readConfig(environment).lakeUrl).toMatch(/^s3:/)
}

describe('the manifests', () => {
  const files = readdirSync(path.join(folder, 'eks')).filter((file) => file.endsWith('.yaml'))
  const manifests = files.filter((file) => file !== 'kustomization.yaml')
  const read = (file: string): Json[] => linters.readYaml(path.join(folder, 'eks', file))
  const object = (kind: string): Json =>
    manifests.flatMap(read).find((manifest) => part(manifest, 'kind') === kind) ?? null

  test.each(manifests)("Kubernetes' schemas have nothing against %s", (file) => {
    expect(linters.manifest(path.join(folder, 'eks', file))).toBe('')
  })

  test('all of them are deployed', () => {
    expect([...(part(read('kustomization.yaml')[0] ?? null, 'resources') as string[])].sort()).toEqual(manifests.sort())
  })

  test('what selects pods selects these, and what names another names one that is there', () => {
    const deployment = object('Deployment')
    const labels = part(deployment, 'spec', 'template', 'metadata', 'labels')
    const pod = part(deployment, 'spec', 'template', 'spec')
    for (const selector of [
      part(deployment, 'spec', 'selector', 'matchLabels'),
      part(object('PodDisruptionBudget'), 'spec', 'selector', 'matchLabels'),
      part(object('NetworkPolicy'), 'spec', 'podSelector', 'matchLabels'),
      ...(part(pod, 'topologySpreadConstraints') as Json[]).map((spread) =>
        part(spread, 'labelSelector', 'matchLabels'),
      ),
    ])
      expect(selector).toEqual(labels)
    const [kustomization = null] = read('kustomization.yaml')
    const named = [
      [part(pod, 'serviceAccountName'), part(object('ServiceAccount'), 'metadata', 'name')],
      [part(object('ScaledObject'), 'spec', 'scaleTargetRef', 'name'), part(deployment, 'metadata', 'name')],
      [
        part(object('ScaledObject'), 'spec', 'triggers', 0, 'authenticationRef', 'name'),
        part(object('TriggerAuthentication'), 'metadata', 'name'),
      ],
      [
        part(pod, 'containers', 0, 'envFrom', 0, 'configMapRef', 'name'),
        part(kustomization, 'configMapGenerator', 0, 'name'),
      ],
      [part(pod, 'containers', 0, 'image'), part(kustomization, 'images', 0, 'name')],
      [part(object('Namespace'), 'metadata', 'name'), part(kustomization, 'namespace')],
    ]
    for (const [name, target] of named) expect(name).toBe(target)
    // KEDA has no schema here; what a trigger is told is text, also where it is a number.
    const settings = Object.values(part(object('ScaledObject'), 'spec', 'triggers', 0, 'metadata') as object)
    expect(settings.every((setting) => typeof setting === 'string')).toBe(true)
  })

  test('the pod is told what the consumer has to know, and has the time to drain', () => {
    const lines = textOf('eks/consumer.env').trimEnd().split('\n')
    expectSettings(Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2) as [string, string])))
    const pod = part(object('Deployment'), 'spec', 'template', 'spec')
    expect(part(pod, 'terminationGracePeriodSeconds')).toBeGreaterThan(DRAINS_WITHIN_S)
    expect(part(pod, 'containers', 0, 'args')).toEqual(consume('flights', '0.0.0.0:8080', '/var/lib/inlet'))
  })
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
const ifSystemd = hasSystemd ? describe : describe.skip

ifSystemd('the unit', () => {
  const unit = async (): Promise<string> => {
    const file = path.join(directory(), 'inlet-consume@flights.service')
    await writeFile(file, textOf('ec2/inlet-consume@.service').replace('/usr/local/bin/node', process.execPath))
    return file
  }
  const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' })

  test('systemd has nothing against it', async () => {
    const { status, stdout, stderr } = analyze('verify', '--man=no', await unit())
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' })
  })

  test('systemd counts it among the safe ones', async () => {
    // In tenths, of 100 for a service without any of the guards.
    const { status, stdout } = analyze('security', '--offline=true', '--no-pager', '--threshold=20', await unit())
    expect({ status, stdout }).toMatchObject({ status: 0 })
  })
})

test('the unit calls the consumer as the image does, and gives it the time to drain', () => {
  const text = textOf('ec2/inlet-consume@.service')
  const [node, command, ...args] = /^ExecStart=(.*)$/m.exec(text)?.[1]?.split(' ') ?? []
  expect([node, command]).toEqual(['/usr/local/bin/node', '/opt/inlet/shared/cli/inlet.mjs'])
  expect(args).toEqual(consume('%i', '${INLET_LISTEN}', '${CACHE_DIRECTORY}', '/opt/inlet'))
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(DRAINS_WITHIN_S)
})
