import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, copyFile, mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import {
  type Acl,
  AclOperations,
  AclPermissionTypes,
  Producer,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka'
import { S3Store } from '#shared/lake/s3-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { resourceProperties } from '#test/helpers/cloudformation.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { BUNDLE_TIMEOUT_MS, ContainerImage, IMAGE_USER } from '#test/helpers/container-image.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { produceFlights } from '#test/helpers/flights-topic.ts'
import { InfrastructureLinters } from '#test/helpers/infrastructure-linters.ts'
import { KAFKA_TIMEOUT_MS, type KafkaBroker } from '#test/helpers/kafka-broker.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const directory = temporaryDirectory()
const started = new Set<ChildProcess>()
let image: ContainerImage

beforeAll(async () => {
  image = await ContainerImage.build()
}, BUNDLE_TIMEOUT_MS)
afterAll(() => image?.remove())
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
})

const faulty = faultyS3()

/** The entry point of the image, and all that it says. */
function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = image.start(args, environment)
  started.add(child)
  const said = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said.text += String(chunk)))
  return { child, said, closed: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> }
}

test('help, and the pipelines, are there without the project', async () => {
  const help = start(['--help'])
  expect(await help.closed).toEqual([0, null])
  expect(help.said.text).toMatch(/consume .*<pipeline>/)
  const pipeline = path.join(image.app, 'functions/flights/pipeline.mjs')
  const described = start(['describe', pipeline, '--json'])
  expect(await described.closed).toEqual([0, null])
  expect(JSON.parse(described.said.text)).toMatchObject({ name: 'flights' })
  const consume = start(['consume', pipeline, '--lake', 's3://lake'])
  expect(await consume.closed).toEqual([2, null])
  expect(consume.said.text).toMatch(/^inlet: .*KAFKA_BROKERS/)
})

test('nothing of development is in it', async () => {
  const files = await readdir(image.app, { recursive: true })
  const own = files.filter((file) => !file.startsWith('node_modules') && /\.\w+$/.test(file))
  expect(own.filter((file) => !file.endsWith('.mjs'))).toEqual([])
  const packages = await readdir(path.join(image.app, 'node_modules'))
  for (const name of ['typescript', 'jest', 'esbuild', 'serverless', 'node']) expect(packages).not.toContain(name)
})

/** What MSK's actions are among Kafka's own (Amazon MSK Developer Guide, "Semantics of IAM authorization policy actions"). */
const OPERATIONS = {
  'kafka-cluster:DescribeTopic': AclOperations.DESCRIBE,
  'kafka-cluster:ReadData': AclOperations.READ,
  'kafka-cluster:DescribeGroup': AclOperations.DESCRIBE,
  'kafka-cluster:AlterGroup': AclOperations.READ,
} as const

interface Statement {
  readonly Sid: string
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
}

const GROUP = 'lake-writers'
const RECORDS = 6000
/** An account other than the bucket's owner: it may do what the policy of the bucket says, and nothing else. */
const ACCOUNT = '123456789012'

/** The statements of the consumer's role. */
async function rights(): Promise<readonly Statement[]> {
  const template = (await InfrastructureLinters.open()).readTemplate(path.join(projectRoot, 'infra/container/role.yml'))
  const role = resourceProperties(template, 'ConsumerRole', {
    Platform: 'ecs',
    Pipeline: 'flights',
    Table: 'flights',
    Topic: 'flights',
    ConsumerGroup: GROUP,
    MskClusterArn: `arn:aws:kafka:us-east-1:${ACCOUNT}:cluster/events/0123-ab-s1`,
    LakeBucket: 'lake',
  }) as unknown as { Policies: [{ PolicyDocument: { Statement: readonly Statement[] } }] }
  return role.Policies[0].PolicyDocument.Statement
}

const listed = (value: string | readonly string[]): readonly string[] => [value].flat()

/** The same rights, for Kafka's own authorizer. */
function acls(statements: readonly Statement[]): Acl[] {
  return statements.flatMap(({ Action, Resource }) =>
    listed(Action).flatMap((action) => {
      const operation = OPERATIONS[action as keyof typeof OPERATIONS]
      const [, kind, name = ''] = /:(topic|group)\/[^/]+\/[^/]+\/(.+)$/.exec(String(Resource)) ?? []
      if (operation === undefined) return []
      return {
        resourceType: kind === 'topic' ? ResourceTypes.TOPIC : ResourceTypes.GROUP,
        resourceName: name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: 'User:stranger',
        host: '*',
        operation,
        permissionType: AclPermissionTypes.ALLOW,
      }
    }),
  )
}

/** What S3 checks for a request (Service Authorization Reference, "Actions defined by Amazon S3"), and on what. */
function actionOf(method = '', url = ''): string {
  const { pathname } = new URL(url, 'http://s3')
  const key = decodeURIComponent(pathname.replace(/^\/lake\/?/, ''))
  if (key === '') return 's3:ListBucket on arn:aws:s3:::lake'
  const actions: Readonly<Record<string, string>> = { GET: 'GetObject', HEAD: 'GetObject', PUT: 'PutObject' }
  return `s3:${actions[method] ?? method} on arn:aws:s3:::lake/${key}`
}

describe('with the rights of its role, and no others', () => {
  const broker = temporaryKafka({ tls: true })

  test(
    'it lands a topic, with what its role allows and nothing beside, and drains when it is told to stop',
    async () => {
      const statements = await rights()
      await broker().createTopic('flights', 3)
      await produceFlights(broker().brokers, 'flights', RECORDS - 1, 3)
      await produceRefused(broker().brokers)
      await broker().admin.createAcls({ creations: acls(statements) })
      const ofS3 = statements.filter(({ Sid }) => Sid.startsWith('Lake'))
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: ofS3.map((statement) => ({ ...statement, Principal: { AWS: ACCOUNT } })),
      })
      await faulty.s3.client().send(new PutBucketPolicyCommand({ Bucket: 'lake', Policy }))
      const calls = new Set<string>()
      faulty.proxy.plan = ({ method, url }) => void calls.add(actionOf(method, url))

      const consumer = start(
        [
          'consume',
          path.join(image.app, 'functions/flights/pipeline.mjs'),
          '--listen',
          '127.0.0.1:0',
          '--scratch',
          await scratch(),
          '--max-age',
          '2',
        ],
        {
          ...(await login(broker())),
          ...faulty.s3.environment(faulty.proxy.endpoint),
          AWS_ACCESS_KEY_ID: ACCOUNT,
          LAKE_URL: 's3://lake',
          KAFKA_GROUP: GROUP,
        },
      )
      await until(() => landed(consumer.said.text) === RECORDS, consumer)
      const state = /"state":"(?<url>http:[^"]+)"/.exec(consumer.said.text)?.groups?.['url'] ?? ''
      for (const page of ['healthz', 'readyz', 'metrics']) expect((await fetch(`${state}/${page}`)).status).toBe(200)
      consumer.child.kill('SIGTERM')
      expect(await consumer.closed).toEqual([0, null])

      const proof = await verifyLake(new S3Store('s3://lake', { client: faulty.s3.client() }), { deep: true })
      expect(proof).toMatchObject({ counts: { records: RECORDS, rejected: 1 }, faults: [], orphans: [] })
      // Each right is made use of: one that is not should not be there.
      const rightsOfS3 = ofS3.flatMap(({ Action, Resource }) =>
        listed(Action).flatMap((action) => listed(Resource).map((resource) => `${action} on ${resource}`)),
      )
      const isUsed = (right: string): boolean => [...calls].some((call) => call.startsWith(right.replace(/\*$/, '')))
      expect(rightsOfS3.filter((right) => !isUsed(right))).toEqual([])
      // There is no other.
      const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'any' }
      const role = new S3Store('s3://lake', { client: faulty.s3.client({ credentials }) })
      const denied = { code: 'STORE_DENIED' }
      await expect(role.list('log/other/')[Symbol.asyncIterator]().next()).rejects.toMatchObject(denied)
      await expect(role.put('tables/flights/metadata/v1', new Uint8Array())).rejects.toMatchObject(denied)
      for await (const { key } of role.list('log/flights/'))
        await expect(role.delete(key)).rejects.toMatchObject(denied)
    },
    KAFKA_TIMEOUT_MS + VENV_TIMEOUT_MS,
  )
})

/** A record that becomes a dead letter. */
async function produceRefused(brokers: string): Promise<void> {
  const producer = new Producer({ clientId: 'refused', bootstrapBrokers: [brokers], retries: 20, retryDelay: 500 })
  try {
    await producer.send({ messages: [{ topic: 'flights', partition: 0, value: Buffer.from('no flight') }] })
  } finally {
    await producer.close()
  }
}

/** The records of the slices that a log tells of. */
function landed(log: string): number {
  const slices = log.split('\n').filter((line) => line.includes('"slice landed"'))
  return slices.reduce((sum, line) => sum + (JSON.parse(line) as { records: number }).records, 0)
}

/** Waits for at most half a minute. @throws Error with what it said, when it ends before */
async function until(isSo: () => boolean, { child, said }: ReturnType<typeof start>): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    if (isSo()) return
    if (child.exitCode !== null) break
    await sleep(100)
  }
  throw new Error(`it has not come to it, and said:\n${said.text}`)
}

/** The one folder that the image's user may write to. */
async function scratch(): Promise<string> {
  const folder = path.join(directory(), 'scratch')
  await chmod(directory(), 0o755)
  await mkdir(folder, { mode: 0o700 })
  if (process.getuid?.() === 0) await chown(folder, IMAGE_USER, IMAGE_USER)
  return folder
}

/** A user with no rights but those of ACLs, by files that the image's user may read. */
async function login(broker: KafkaBroker): Promise<Record<string, string>> {
  const environment = (await broker.environment('scram', 'stranger')) as Record<string, string>
  for (const variable of ['KAFKA_CA_FILE', 'KAFKA_PASSWORD_FILE']) {
    const copy = path.join(directory(), variable)
    await copyFile(environment[variable] ?? '', copy)
    await chmod(copy, 0o644)
    environment[variable] = copy
  }
  return environment
}
