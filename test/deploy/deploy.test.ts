import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation'
import { GetDatabasesCommand } from '@aws-sdk/client-glue'
import { GetBootstrapBrokersCommand, KafkaClient } from '@aws-sdk/client-kafka'
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import { flights } from '#functions/flights/pipeline.ts'
import { kafkaOf } from '#shared/kafka-settings.ts'
import type { PipelineHandler } from '#shared/runtimes/lambda.ts'
import { createGlueClient } from '#shared/lake/catalog-clients.ts'
import { runKafkaTrigger } from '#shared/runtimes/kafka-trigger.ts'
import { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { flightSums, produceFlights } from '#test/helpers/flights-topic.ts'
import { ServerlessProject } from '#test/helpers/serverless-project.ts'
import { expectedOutcomes, readSamples } from '../contract/samples.ts'
import { ACCOUNT_TIMEOUT_MS, EmulatedAccount } from './emulated-account.ts'

const PLUGIN = './infra/deployment-plugin.ts'
const CATALOG = 'glue:inlet_dev'
const PARTITIONS = flights.topicSettings.partitions ?? 1
/** All of a month. */
const FLIGHTS = 27_004
/** Ten flights, as a trigger delivers them. */
const BATCH = JSON.stringify(readSamples().find(({ file }) => file === 'batch.json')?.events[0])

let account: EmulatedAccount
let folder: string
let project: ServerlessProject
let lambda: LambdaClient
/** What the stack says of itself, once there is one. */
let lake: string
let cluster: string

beforeAll(async () => {
  account = await EmulatedAccount.start()
  folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-deploy-'))
  project = new ServerlessProject(folder)
  project.add('test/deploy/emulator')
  // Behind the project's own, which is to see what AWS would.
  project.edit('serverless.yml', `- ${PLUGIN}`, `- ${PLUGIN}\n  - ./test/deploy/emulator/plugin.ts`)
  lambda = new LambdaClient(account.client)
}, ACCOUNT_TIMEOUT_MS)

afterAll(async () => {
  await account?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/** A command of the Framework in the account, for the stage `dev` where it does not name another. */
function serverless(...args: string[]): { readonly status: number | null; readonly said: string } {
  const stage = args.includes('--stage') ? [] : ['--stage', 'dev']
  const { status, said } = project.serverless([...args, ...stage], account.environment)
  return { status, said }
}

/** One that works. @returns what it said */
function done(...args: string[]): string {
  const { status, said } = serverless(...args)
  expect({ status, said: status === 0 ? '' : said }).toEqual({ status: 0, said: '' })
  return said
}

/** A command of Inlet's in the account. @returns its answer */
async function ask(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await inlet([...args, '--json'], undefined, account.environment)
  expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

const query = (sql: string): Promise<unknown> => ask('query', sql, '--lake', lake, '--catalog', CATALOG)

const nameOf = (name: string): string => `inlet-dev-${name}`

/** Invokes a function as a trigger does. @throws Error what it failed with */
async function invoke(name: string, event: unknown): Promise<unknown> {
  const request = new InvokeCommand({ FunctionName: nameOf(name), Payload: JSON.stringify(event) })
  const { FunctionError, Payload = new Uint8Array() } = await lambda.send(request)
  const answer = Buffer.from(Payload).toString()
  if (FunctionError !== undefined) throw new Error(answer)
  return JSON.parse(answer || 'null')
}

/** Runs the trigger of the deployed function over its topic, to the end. */
async function deliver(): Promise<void> {
  const identity = { topic: 'flights', groupId: nameOf('flights'), clientId: 'trigger', instanceId: null }
  const topic = await KafkaTopic.open(kafkaOf({}, account.kafka.brokers), { ...identity, sessionMs: 30_000 })
  const given: unknown[] = []
  try {
    await runKafkaTrigger(flights, {
      topic,
      source: { eventSource: 'aws:kafka', arn: cluster, bootstrapServers: account.kafka.brokers },
      handler: (event) => invoke('flights', event) as ReturnType<PipelineHandler>,
      startingPosition: flights.trigger.startingPosition,
      failures: null,
      untilEnd: true,
      signal: new AbortController().signal,
      listener: {
        onAssigned() {},
        onFault: (error) => given.push(error),
        onDiscarded: (discarded) => given.push(discarded),
        onFiltered() {},
      },
    })
  } finally {
    await topic.close()
  }
  expect(given).toEqual([])
}

test('the first deployment says what it will cost; it fails, says why, and leaves nothing whose name is taken', async () => {
  await account.kafka.createTopic('flights', 2 * PARTITIONS)
  const { status, said } = serverless('deploy')
  expect(status).not.toBe(0)
  expect(said).toMatch(/An idle stack costs \$/)
  expect(said).toMatch(new RegExp(`flights: it has ${2 * PARTITIONS} partitions and ${PARTITIONS} are declared`))
  const glue = createGlueClient(account.client)
  const { DatabaseList = [] } = await glue.send(new GetDatabasesCommand({}))
  expect(DatabaseList.map(({ Name }) => Name)).toEqual([])
  await account.kafka.admin.deleteTopics({ topics: ['flights'] })
})

test('the next one makes the topic and the tables', async () => {
  expect(done('deploy')).toMatch(/Service deployed to stack inlet-dev/)
  const outputs = done('info', '--verbose')
  lake = /LakeUrl: (?<url>\S+)/.exec(outputs)?.groups?.['url'] ?? ''
  cluster = /KafkaClusterArn: (?<arn>\S+)/.exec(outputs)?.groups?.['arn'] ?? ''
  const metadata = await account.kafka.admin.metadata({ topics: ['flights'] })
  expect(metadata.topics.get('flights')?.partitions).toHaveLength(PARTITIONS)
  expect(await query('SELECT count(*)::INT AS flights FROM flights')).toEqual([{ flights: 0 }])
})

test('what the deployed function is invoked with is in the lake, and in the next snapshot', async () => {
  const samples = readSamples().filter(({ topic, file }) => topic === 'flights' && file.endsWith('.json'))
  done('invoke', '-f', 'flights', '--path', path.join(projectRoot, 'events/flights/batch.json'))
  for (const { events } of samples) for (const event of events) await invoke('flights', event)
  await invoke('committer', {})

  const outcomes = samples.flatMap((sample) => [...expectedOutcomes(sample, 'flights').values()])
  const [written, skipped] = ['written', 'skipped'].map((which) => outcomes.filter((each) => each === which).length)
  const rejected = outcomes.length - (written ?? 0) - (skipped ?? 0)
  const { counts, faults } = (await ask('verify', '--deep', '--lake', lake, '--catalog', CATALOG)) as {
    counts: unknown
    faults: unknown
  }
  expect(faults).toEqual([])
  expect(counts).toMatchObject({ records: outcomes.length, written, skipped })
  const sql = `SELECT (SELECT count(*) FROM flights)::INT AS written, (SELECT count(*) FROM flights_dead_letters)::INT AS rejected`
  expect(await query(sql)).toEqual([{ written, rejected }])
})

test('a month of flights goes from the topic that was made through the deployed function into the table', async () => {
  await produceFlights(account.kafka.brokers, 'flights', FLIGHTS, PARTITIONS)
  await deliver()
  await invoke('committer', {})
  const sql = `SELECT count(*)::INT AS rows, count(DISTINCT (_epoch, _kafka_partition, _offset))::INT AS positions,
    sum(distanceMiles)::DOUBLE AS miles FROM flights WHERE scheduledAt < '2013-02-02'`
  expect(await query(sql)).toEqual([await flightSums(FLIGHTS)])
})

test('a function may do what its role says, and no more', async () => {
  const roleOf = async (name: string): Promise<string> => {
    const { Role = '' } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: nameOf(name) }))
    return Role
  }
  // With its timeout named, though it stays, the function begins anew and knows nothing of what has landed.
  const setRole = (Role: string) =>
    lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: nameOf('flights'), Role, Timeout: 120 }))
  const own = await roleOf('flights')
  await setRole(await roleOf('brokers'))
  await expect(invoke('flights', JSON.parse(BATCH))).rejects.toThrow(/STORE_DENIED/)
  await setRole(own)
  expect(await invoke('flights', JSON.parse(BATCH))).toBeNull()
})

test('nothing is deployed when nothing has changed', () => {
  expect(done('deploy')).toMatch(/No changes to deploy/)
})

test('a paused trigger stays paused when it is changed; a pipeline more is a folder more', async () => {
  expect(await ask('pause', 'flights', '--stage', 'dev')).toMatchObject({ triggers: [{ is: 'Disabled' }] })
  project.addPipeline('arrivals')
  project.edit('functions/flights/pipeline.ts', 'event: Flight,', 'event: Flight, trigger: { batchSize: 5000 },')
  expect(done('deploy')).toMatch(/Service deployed/)
  const state = async (name: string) => {
    const list = new ListEventSourceMappingsCommand({ FunctionName: nameOf(name) })
    const { EventSourceMappings = [] } = await lambda.send(list)
    return EventSourceMappings.map(({ State, BatchSize }) => [State, BatchSize])
  }
  expect(await state('flights')).toEqual([['Disabled', 5000]])
  expect(await state('arrivals')).toEqual([['Enabled', flights.trigger.batchSize]])
  expect(await ask('resume', 'flights', '--stage', 'dev')).toMatchObject({ triggers: [{ is: 'Enabled' }] })

  const arrivals: unknown = JSON.parse(
    BATCH.replaceAll('"flights-0"', '"arrivals-0"').replaceAll('"topic":"flights"', '"topic":"arrivals"'),
  )
  await invoke('arrivals', arrivals)
  await invoke('committer', {})
  expect(await query('SELECT count(*)::INT AS arrivals FROM arrivals')).toEqual([{ arrivals: 10 }])
})

test('a column more is there after the deployment, and stays when the code is rolled back', async () => {
  const pipeline = 'functions/flights/pipeline.ts'
  const [column, last] = ['  distanceMiles: z.int32(),\n})', 'distanceMiles: e.distanceMiles,']
  project.edit(pipeline, column, `  speed: z.int32().nullable(),\n${column}`)
  project.edit(pipeline, last, `${last} speed: e.distanceMiles,`)
  expect(project.inlet('table', 'lock', 'flights')).toMatchObject({ status: 0 })
  expect(done('deploy')).toMatch(/Service deployed/)
  const speeds = () => query('SELECT count(speed)::INT AS speeds FROM flights')
  expect(await speeds()).toEqual([{ speeds: 0 }])
  await invoke('flights', JSON.parse(BATCH.replaceAll(/"offset":(\d)/g, '"offset":1000$1')))
  await invoke('committer', {})
  expect(await speeds()).toEqual([{ speeds: 10 }])

  project.add('functions/flights')
  expect(done('deploy')).toMatch(/Service deployed/)
  expect(await speeds()).toEqual([{ speeds: 10 }])
})

test('another stage has a lake and triggers of its own, on a cluster that is there already', async () => {
  const stack = new CloudFormationClient(account.client)
  const { StackResources = [] } = await stack.send(new DescribeStackResourcesCommand({ StackName: 'inlet-dev' }))
  const idOf = (id: string) =>
    StackResources.find(({ LogicalResourceId }) => LogicalResourceId === id)?.PhysicalResourceId ?? id
  const params = [
    `clusterArn=${cluster}`,
    `clusterSubnets=${['SubnetA', 'SubnetB', 'SubnetC'].map(idOf).join(',')}`,
    `clusterSecurityGroups=${idOf('KafkaSecurityGroup')}`,
  ].map((param) => `--param=${param}`)
  expect(done('deploy', '--stage', 'own', ...params)).toMatch(/Service deployed to stack inlet-own/)
  const list = new ListEventSourceMappingsCommand({ FunctionName: 'inlet-own-flights' })
  const { EventSourceMappings = [] } = await lambda.send(list)
  expect(EventSourceMappings.map(({ EventSourceArn }) => EventSourceArn)).toEqual([cluster])
  done('remove', '--stage', 'own', ...params)
  expect(await invoke('committer', {})).toMatchObject({ commits: expect.any(Array) as unknown })
})

test('a contract that the deployed table cannot follow is refused, and what is deployed stays', () => {
  // As a lock has them that was made anew, with the columns in another order.
  const lock = 'functions/flights/table.lock.json'
  project.edit(lock, '"id": 2,', '"id": 99,')
  project.edit(lock, '"id": 5,', '"id": 2,')
  project.edit(lock, '"id": 99,', '"id": 5,')
  const { status, said } = serverless('deploy')
  expect(status).not.toBe(0)
  expect(said).toMatch(/flights \(contract\): table flights: .*carrier/)
  project.add('functions/flights')
  expect(done('deploy')).toMatch(/No changes to deploy/)
})

test('removed, functions and triggers are gone; what holds data stays', async () => {
  expect(done('remove')).toMatch(/successfully removed/)
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}))
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}))
  expect([Functions, EventSourceMappings]).toEqual([[], []])
  // The bucket, the key, the database and its tables.
  expect(await query('SELECT count(*) > 0 AS hasFlights FROM flights')).toEqual([{ hasFlights: true }])
  const { faults } = (await ask('verify', '--deep', '--lake', lake, '--catalog', CATALOG)) as { faults: unknown }
  expect(faults).toEqual([])
  const metadata = await account.kafka.admin.metadata({ topics: ['flights'] })
  expect(metadata.topics.get('flights')?.partitions).toHaveLength(PARTITIONS)
  const msk = new KafkaClient({ ...account.client, endpoint: account.msk })
  const brokers = await msk.send(new GetBootstrapBrokersCommand({ ClusterArn: cluster }))
  expect(brokers.BootstrapBrokerStringSaslIam).toBe(account.kafka.brokers)
})
