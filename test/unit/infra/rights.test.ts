import type { Context } from 'aws-lambda'
import { LakeStore } from '#shared/lake/lake-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { applyTables, commitTables } from '#shared/lake/pipeline-tables.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import type { JobRunner } from '#shared/jobs/job-runner.ts'
import type { Job } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { committerHandler } from '#shared/runtimes/committer.ts'
import { jobsHandler, waitingOf } from '#shared/runtimes/jobs.ts'
import { pipelineHandler } from '#shared/runtimes/lambda.ts'
import { redriveHandler } from '#shared/runtimes/redrive.ts'
import { UNKNOWN_TOPIC } from '#shared/runtimes/table-view.ts'
import { tablesResource } from '#shared/runtimes/tables.ts'
import { topicResource } from '#shared/runtimes/topics.ts'
import type { KafkaTopics } from '#shared/sources/kafka-topics.ts'
import { answeringRunners } from '#test/helpers/answering-services.ts'
import { rescoreHandler } from '#shared/runtimes/rescore.ts'
import { breakerMemory } from '#shared/runtimes/scorer.ts'
import { EndpointFault } from '#shared/scoring/endpoint-faults.ts'
import { EndpointScorer } from '#shared/scoring/endpoint-scorer.ts'
import { resourceProperties, type Template } from '#test/helpers/cloudformation.ts'
import { maybe } from '#test/helpers/columns.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { type GlueCall, glueAnswering, GlueRefusal } from '#test/helpers/glue-answers.ts'
import { type AskedFor, denied, type Grant, grantsOf, unused } from '#test/helpers/granted.ts'
import { withJobs } from '#test/helpers/job-lake.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { MemoryTopics } from '#test/helpers/memory-topics.ts'
import { timeless } from '#test/helpers/mending-sensors.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { deployed } from '#test/helpers/stage.ts'
import { tablesProperties, topicProperties } from '../../../infra/custom-resources.ts'

const GLUE = 'arn:aws:glue:us-east-1:123456789012'
const context = { getRemainingTimeInMillis: () => 60_000 } as Context

const iceberg = locked(sensors)
const immediate: Pipeline = { ...iceberg, commit: 'immediate' }
const plain: Pipeline = { ...sensors, trigger: { ...sensors.trigger, failureDestination: 's3://given-up' } }

/** With another column. */
const columns = [...iceberg.table.columns, maybe('more', 'string')]
const grownLock = lockFor({ ...iceberg.table, columns }, iceberg.table.lock)
const grown: Pipeline = { ...iceberg, table: { ...iceberg.table, columns, lock: grownLock } }
const others: Pipeline = { ...sensors, name: 'others', table: { ...sensors.table, name: 'others' } }

/** What Lambda itself does with the role of a function, and not its code: statement → actions. */
const LAMBDAS_OWN: Readonly<Record<string, readonly string[]>> = {
  Write: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Trace: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  TellFailures: ['sqs:SendMessage'],
  FindCluster: ['kafka:DescribeClusterV2', 'kafka:GetBootstrapBrokers'],
  Connect: ['kafka-cluster:Connect'],
  ReadTopic: ['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'],
  Group: ['kafka-cluster:DescribeGroup', 'kafka-cluster:AlterGroup'],
  AttachPollers: ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'],
  FindNetwork: [
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeVpcs',
  ],
  AttachToNetwork: ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DeleteNetworkInterface'],
  GiveUp: ['s3:PutObject'],
  FindGivenUp: ['s3:ListBucket'],
}

/** What the function of a stage with these pipelines may do. */
function allGrants(role: string, pipelines: readonly Pipeline[]): readonly Grant[] {
  const { Resources } = deployed(pipelines).resources
  const ids = ['SubnetA', 'SubnetB', 'SubnetC', 'KafkaSecurityGroup', 'KafkaCluster']
  const known = { LakeDatabase: 'lake', ...Object.fromEntries(ids.map((id) => [id, id])) }
  const template = { Resources } as unknown as Template
  return grantsOf(resourceProperties(template, role, known))
}

/** The same, less what Lambda does in its name. */
function grants(role: string, pipelines: readonly Pipeline[]): readonly Grant[] {
  return allGrants(role, pipelines).filter(({ Sid }) => !(Sid in LAMBDAS_OWN))
}

const READS = new Set(['get', 'size'])

/** A lake, a catalog and a bucket of failed batches that write down what is asked of them. */
class RecordingAccount {
  readonly asked: AskedFor[] = []
  readonly #tables = new Map<string, object>()
  readonly #lake = Object.assign(new MemoryStore(), { url: 's3://lake' })
  readonly givenUp = new MemoryStore()
  readonly glue = glueAnswering((call) => this.#answer(call)).glue

  /** As somebody who may do everything. */
  get bare(): MemoryStore {
    return this.#lake
  }

  get lake(): LakeStore {
    const recording = Object.assign(this.#recording(this.#lake, 'LakeBucket.Arn'), { url: 's3://lake' })
    const refuse = (): never => {
      throw new Error('no table has a bucket of its own')
    }
    return new LakeStore(recording, { openBucket: refuse, hasBucket: () => 'unknown' })
  }

  get failedBatches(): MemoryStore {
    return this.#recording(this.givenUp, 'arn:aws:s3:::given-up')
  }

  #recording(store: MemoryStore, bucket: string): MemoryStore {
    return store.through((call, effect) => {
      this.#record(call.operation, bucket, call.key)
      const answer = effect()
      // Who may not list is not told that there is no such object, but that the answer is secret.
      if (answer === undefined && READS.has(call.operation))
        this.asked.push({ action: 's3:ListBucket', resource: bucket })
      return Promise.resolve(answer)
    })
  }

  #record(operation: string, bucket: string, key: string): void {
    const object = `${bucket}/${key}`
    if (operation === 'list') this.asked.push({ action: 's3:ListBucket', resource: bucket, prefix: key })
    else if (operation === 'delete') this.asked.push({ action: 's3:DeleteObject', resource: object })
    else {
      const isRead = READS.has(operation)
      this.asked.push({ action: isRead ? 's3:GetObject' : 's3:PutObject', resource: object })
      this.asked.push({ action: isRead ? 'kms:Decrypt' : 'kms:GenerateDataKey', resource: 'LakeKey.Arn' })
    }
  }

  #answer({ operation, input }: GlueCall): object {
    const given = input['TableInput'] as { Name: string } | undefined
    const name = String(given?.Name ?? input['Name'] ?? input['TableName'])
    for (const part of ['catalog', 'database/lake', `table/lake/${name}`])
      this.asked.push({ action: `glue:${operation}`, resource: `${GLUE}:${part}` })
    const found = this.#tables.get(name)
    if (operation === 'GetTable')
      return found === undefined ? new GlueRefusal('EntityNotFoundException') : { Table: found }
    if (given !== undefined) this.#tables.set(name, { ...given, VersionId: String(this.asked.length) })
    return {}
  }
}

const quiet = { begin() {}, slice() {}, failure() {}, commit() {}, registration() {}, end() {} }
const loud = {
  ...quiet,
  failure: (...told: unknown[]) => {
    throw told.at(-1)
  },
}
const rescoring = { ...loud, rescored() {} }
const FIRST = [reading(1), reading(666), timeless(2), '{']

/** Lands records, some of them refused, then some before them: what fills a gap is an amendment, with its marker. */
async function landing(account: RecordingAccount, pipeline: Pipeline): Promise<void> {
  const tables = {
    store: account.lake,
    tables: openCatalog('glue:lake', account.lake, { glue: account.glue }),
    now: Date.now,
  }
  const handler = pipelineHandler(pipeline, () => ({
    lake: new ObjectStoreLake(account.lake),
    telemetry: loud,
    concurrency: 2,
    ...(pipeline.commit === 'immediate' && { commitTables: (signal) => commitTables(tables, pipeline, { signal }) }),
  }))
  await handler(sensorEvent(FIRST, 0, 10), context)
  await handler(sensorEvent([reading(3), '{'], 0, 5), context)
  await handler(sensorEvent([reading(4)], 0, 20), context)
}

async function withTables(pipeline: Pipeline): Promise<RecordingAccount> {
  const account = new RecordingAccount()
  const tables = openCatalog('glue:lake', account.bare, { glue: account.glue })
  await applyTables({ store: account.bare, tables, now: Date.now }, pipeline)
  account.asked.length = 0
  return account
}

/** Neither more nor less is allowed than was asked for. */
function expectJustEnough({ asked }: RecordingAccount, role: string, pipelines: readonly Pipeline[]): void {
  const allowed = grants(role, pipelines)
  expect(denied(asked, allowed)).toEqual([])
  expect(unused(asked, allowed)).toEqual([])
}

test.each([
  ['a pipeline', iceberg],
  ['a pipeline of plain files', sensors],
  ['a pipeline that commits at once', immediate],
])('%s may do what its function does, and no more', async (_title, pipeline) => {
  const account = await withTables(pipeline)
  await landing(account, pipeline)
  expectJustEnough(account, 'SensorsRole', [pipeline])
})

test.each([
  ['Iceberg tables', [iceberg]],
  ['Iceberg tables and plain files', [iceberg, others]],
])('the committer may do what it does for %s, and no more', async (_title, pipelines) => {
  const account = await withTables(iceberg)
  for (const pipeline of pipelines) await landing(account, pipeline)
  account.asked.length = 0
  const store = account.lake
  const tables = openCatalog('glue:lake', store, { glue: account.glue })
  const filesDatabase = { glue: account.glue, database: 'lake', lakeUrl: 's3://lake' }
  const handler = committerHandler(pipelines, { store, tables, now: Date.now, telemetry: loud, filesDatabase })
  await handler({}, context)
  await handler({}, context)
  expectJustEnough(account, 'CommitterRole', pipelines)
})

test('a redrive may do what it does, and no more', async () => {
  const account = new RecordingAccount()
  await landing(account, plain)
  const { key, body } = failedBatch(sensorEvent([reading(7)], 0, 40))
  await account.givenUp.put(key, Buffer.from(body))
  account.asked.length = 0
  const surroundings = {
    lake: account.lake,
    openStore: () => Object.assign(account.failedBatches, { url: 's3://given-up/' }),
    telemetry: quiet,
    concurrency: 2,
  }
  const handler = redriveHandler([plain], surroundings)
  expect(await handler({ pipeline: 'sensors' }, context)).toMatchObject({ done: true })
  const given = await handler({ pipeline: 'sensors', failureDestination: 's3://given-up' }, context)
  expect(given).toMatchObject({ done: true, written: 1 })
  expectJustEnough(account, 'RedriveRole', [plain])
})

test('the function of tables may do what it does, and no more', async () => {
  const account = await withTables(sensors)
  const tables = openCatalog('glue:lake', account.lake, { glue: account.glue })
  const resource = tablesResource(() => ({ store: account.lake, tables, now: Date.now }))
  const apply = async (pipeline: Pipeline) => {
    const properties = JSON.parse(JSON.stringify(tablesProperties(pipeline))) as unknown
    await resource.apply(resource.properties.parse(properties), new AbortController().signal)
  }
  await apply(iceberg)
  await landing(account, iceberg)
  account.asked.length = 0
  await apply(iceberg)
  await apply(grown)
  await apply({ ...iceberg, name: 'others', table: { ...iceberg.table, name: 'others' } })
  expectJustEnough(account, 'TablesRole', [iceberg])
})

/** What the services of jobs are asked for, and what: their requests, as actions on resources. */
const JOB_RIGHTS: Readonly<Record<string, readonly [action: string, resource: string]>> = {
  glue: ['glue:', `${GLUE}:job/compact`],
  emrServerless: ['emr-serverless:', 'arn:aws:emr-serverless:us-east-1:123456789012:/applications/00f'],
  emrStep: ['elasticmapreduce:', 'arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/j-1A'],
}

test('the function of jobs may do what it does, and no more', async () => {
  const role = 'arn:aws:iam::123456789012:role/r'
  const pipeline = withJobs(
    {
      compact: { glue: 'compact', when: { rows: 2 } },
      sum: { emrServerless: { application: '00f', role, script: 's3://b/j.py' }, when: { rows: 2 } },
      train: { emrStep: { cluster: 'j-1A', script: 's3://b/j.py' }, when: { rows: 2 } },
    },
    { ...iceberg, trigger: plain.trigger },
  )
  const account = await withTables(pipeline)
  await landing(account, pipeline)
  const committer = openCatalog('glue:lake', account.bare, { glue: account.glue })
  await commitTables({ store: account.bare, tables: committer, now: Date.now }, pipeline)
  await landing(account, { ...pipeline, version: 'later' })
  await account.givenUp.put(failedBatch(sensorEvent([reading(7)], 0, 40)).key, Buffer.from('{}'))
  account.asked.length = 0
  const store = account.lake
  let later = 0
  const lost = new Set<string>()
  const runnerOf = (job: Job): JobRunner => {
    const { kind } = job.target
    return answeringRunners((operation) => {
      const [service, resource] = JOB_RIGHTS[kind] ?? ['', '']
      const of = service === 'emr-serverless:' && operation === 'GetJobRun' ? `${resource}/jobruns/r` : resource
      account.asked.push({ action: `${service}${operation}`, resource: of })
      if (operation === 'StartJobRun' && kind === 'emrServerless')
        account.asked.push({ action: 'iam:PassRole', resource: role })
      // The first answer is lost: what was started has to be looked for.
      if (/^(?:Start|Add)/.test(operation) && lost.size < lost.add(kind).size) throw new Error('lost')
      return {
        JobRunId: 'r',
        jobRunId: 'r',
        StepIds: ['r'],
        JobRun: { JobRunState: 'SUCCEEDED' },
        jobRun: { state: 'SUCCESS' },
        Step: { Status: { State: 'COMPLETED' } },
      }
    })(job)
  }
  const surroundings = {
    store,
    tables: openCatalog('glue:lake', store, { glue: account.glue }),
    catalog: 'glue:lake',
    now: () => Date.now() + later,
    deadline: () => new AbortController().signal,
    runnerOf,
    waiting: waitingOf([pipeline], () => account.failedBatches),
    topic: () => Promise.resolve(UNKNOWN_TOPIC),
    telemetry: { ...quiet, run() {} },
  }
  const handler = jobsHandler([pipeline], surroundings)
  await expect(handler({}, context)).rejects.toThrow('could not see to the jobs of sensors')
  for (later = 0; later < 600_000; later += 60_000) await handler({}, context)
  expectJustEnough(account, 'JobsRole', [pipeline])
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

const scored = locked(scoredSensors({ endpoint: 'Sensor-Risk' }))

async function landScored(account: RecordingAccount, scorer: EndpointScorer, offset: number): Promise<void> {
  const surroundings = { lake: new ObjectStoreLake(account.lake), telemetry: loud, concurrency: 2, scorer }
  await pipelineHandler(scored, () => surroundings)(sensorEvent([reading(1), '{'], 0, offset), context)
}

test('a pipeline with scores may ask its endpoints, and remember which are away', async () => {
  const account = await withTables(scored)
  const scorer = scorerOf(account)
  for (const offset of [10, 5, 20, 30, 40, 50]) await landScored(account, scorer, offset)
  expectJustEnough(account, 'SensorsRole', [scored])
})

test('the function of rows that wait may do what it does, and no more', async () => {
  const account = await withTables(scored)
  const scorer = scorerOf(account)
  const bare = openCatalog('glue:lake', account.bare, { glue: account.glue })
  const store = account.lake
  const tables = openCatalog('glue:lake', store, { glue: account.glue })
  const handler = rescoreHandler([scored, iceberg], { store, tables, now: Date.now, scorer, telemetry: rescoring })
  const asked: AskedFor[] = []
  for (const offset of [10, 20, 30, 40]) {
    await landScored(account, scorer, offset)
    await landScored(account, scorer, offset + 5)
    await commitTables({ store: account.bare, tables: bare, now: Date.now }, scored)
    account.asked.length = 0
    await handler({}, context)
    asked.push(...account.asked)
  }
  account.asked.splice(0, account.asked.length, ...asked)
  expectJustEnough(account, 'RescoreRole', [scored, iceberg])
})

/** The rights that a call needs ("Semantics of IAM authorization policy actions and resources", Amazon MSK). */
const TOPIC_RIGHTS = {
  describe: ['DescribeTopic', 'DescribeTopicDynamicConfiguration'],
  create: ['CreateTopic'],
  addPartitions: ['AlterTopic'],
  alterConfigs: ['AlterTopicDynamicConfiguration'],
  close: [],
} as const satisfies Record<keyof KafkaTopics, readonly string[]>

test('the function of topics may do what it does with topics of pipelines, and no more', async () => {
  const asked: AskedFor[] = [{ action: 'kafka-cluster:Connect', resource: 'KafkaCluster.Arn' }]
  const topics = new Proxy<KafkaTopics>(new MemoryTopics(), {
    get:
      (target, name: keyof KafkaTopics) =>
      (topic: string | readonly string[], ...rest: unknown[]) => {
        for (const right of TOPIC_RIGHTS[name])
          for (const each of [topic].flat())
            asked.push({ action: `kafka-cluster:${right}`, resource: `KafkaCluster.Arn/${each}` })
        return (target[name] as (...call: unknown[]) => unknown).call(target, topic, ...rest)
      },
  })
  const resource = topicResource({ KAFKA_SASL: 'aws-msk-iam', AWS_REGION: 'us-east-1' }, () => topics)
  const apply = async (partitions: number, retentionMs: number) => {
    const topicSettings = { ...sensors.topicSettings, partitions, retentionMs }
    const properties = topicProperties([{ ...sensors, topicSettings }], 'b-1:9098').get('sensors')
    await resource.apply(resource.properties.parse(properties), new AbortController().signal)
  }
  await apply(1, 60_000)
  await apply(2, 120_000)
  const allowed = allGrants('TopicsRole', [sensors]).filter(({ Sid }) => ['Connect', 'Topics'].includes(Sid))
  expect(denied(asked, allowed)).toEqual([])
  expect(unused(asked, allowed)).toEqual([])
})

/** A key of each kind that a lake has, of this pipeline and of another. */
const PLACES = {
  commit: 'log/sensors/g0/c.1/sensors/e0/p0/commits/9.json',
  marker: 'log/sensors/g0/c.1/sensors/e0/p0/dirty/sensors/1/000000',
  'commit of another': 'log/others/g0/c.1/sensors/e0/p0/commits/9.json',
  marks: 'marks/sensors/g0/sensors/a.json',
  'data file': 'tables/sensors/data/at=2026-01-05/a.parquet',
  'dead letters': 'tables/sensors_dead_letters/data/a.parquet',
  metadata: 'tables/sensors/metadata/v1.metadata.json',
  'data of another': 'tables/others/data/a.parquet',
  'metadata of another': 'tables/others/metadata/v1.metadata.json',
  'anything else': 'somewhere/else',
}

test.each([
  ['SensorsRole', iceberg, 'commit GP, marker GP, marks G, data file P, dead letters P'],
  ['SensorsRole', immediate, 'commit GP, marker GPD, marks GP, data file P, dead letters P, metadata GP'],
  ['CommitterRole', iceberg, 'commit G, marker GD, commit of another G, marks GP, metadata GP, metadata of another GP'],
  [
    'RedriveRole',
    plain,
    'commit GP, marker GP, commit of another GP, marks G, data file P, dead letters GP, data of another P',
  ],
  ['TablesRole', iceberg, 'marks GP, metadata GP, metadata of another GP'],
  ['BrokersRole', iceberg, ''],
  ['TopicsRole', iceberg, ''],
])('%s may get, put and delete in the lake: %#', (role, pipeline, expected) => {
  const allowed = allGrants(role, [pipeline])
  const letters = (key: string) =>
    ['Get', 'Put', 'Delete'].filter((doing) => {
      const asked = { action: `s3:${doing}Object`, resource: `LakeBucket.Arn/${key}` }
      return denied([asked], allowed).length === 0
    })
  const found = Object.entries(PLACES).map(([place, key]) => {
    return [
      place,
      letters(key)
        .map((doing) => doing.charAt(0))
        .join(''),
    ] as const
  })
  expect(
    found
      .filter(([, may]) => may !== '')
      .map((each) => each.join(' '))
      .join(', '),
  ).toBe(expected)
})

const ROLES = ['Sensors', 'Committer', 'Redrive', 'Tables', 'Brokers', 'Topics'].map((name) => `${name}Role`)

test.each(ROLES)('%s names each action, and Lambda does no more with it than it has to', (role) => {
  const provisioned = { ...plain, trigger: { ...plain.trigger, mode: 'provisioned' as const } }
  const all = allGrants(role, [provisioned])
  expect(all.flatMap(({ Action }) => Action).filter((action) => !/^[a-z0-9-]+:[A-Za-z0-9]+$/.test(action))).toEqual([])
  const own = all.filter(({ Sid }) => Sid in LAMBDAS_OWN).map(({ Sid, Action }) => [Sid, Action])
  expect(own).toEqual(own.map(([sid]) => [sid, LAMBDAS_OWN[String(sid)]]))
  // Only what no resource can be named for is allowed on all of them.
  const onAll = all.filter(({ Resource }) => [Resource].flat().includes('*')).map(({ Sid }) => Sid)
  expect(onAll.filter((sid) => !['Trace', 'FindNetwork', 'AttachToNetwork'].includes(sid))).toEqual([])
})

test("who asks for a cluster's brokers may ask for nothing else", () => {
  const [grant, ...more] = grants('BrokersRole', [sensors])
  expect(grant).toMatchObject({ Action: ['kafka:GetBootstrapBrokers'], Resource: 'KafkaCluster.Arn' })
  expect(more).toEqual([])
})
