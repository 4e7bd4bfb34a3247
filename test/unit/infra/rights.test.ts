import { lockFor } from '#shared/pipeline/field-ids.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { committerHandler } from '#shared/runtimes/committer.ts'
import { redriveHandler } from '#shared/runtimes/redrive.ts'
import { tablesResource } from '#shared/runtimes/tables.ts'
import { topicResource } from '#shared/runtimes/topics.ts'
import type { KafkaTopics } from '#shared/sources/kafka-topics.ts'
import { maybe } from '#test/helpers/columns.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { type AskedFor, denied } from '#test/helpers/granted.ts'
import { sensors as iceberg } from '#test/helpers/locked-sensors.ts'
import { MemoryTopics } from '#test/helpers/memory-topics.ts'
import { context, loud, quiet, RecordingAccount } from '#test/helpers/recording-account.ts'
import { allGrants, expectJustEnough, grants, LAMBDAS_OWN } from '#test/helpers/role-grants.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { tablesProperties, topicProperties } from '../../../infra/custom-resources.ts'

const immediate: Pipeline = { ...iceberg, commit: 'immediate' }
const plain: Pipeline = { ...sensors, trigger: { ...sensors.trigger, failureDestination: 's3://given-up' } }

/** With another column. */
const columns = [...iceberg.table.columns, maybe('more', 'string')]
const grownLock = lockFor({ ...iceberg.table, columns }, iceberg.table.lock)
const grown: Pipeline = { ...iceberg, table: { ...iceberg.table, columns, lock: grownLock } }
const others: Pipeline = { ...sensors, name: 'others', table: { ...sensors.table, name: 'others' } }

test.each([
  ['a pipeline', iceberg],
  ['a pipeline of plain files', sensors],
  ['a pipeline that commits at once', immediate],
])('%s may do what its function does, and no more', async (_title, pipeline) => {
  const account = await RecordingAccount.withTables(pipeline)
  await account.land(pipeline)
  expectJustEnough(account.asked, grants('SensorsRole', [pipeline]))
})

test.each([
  ['Iceberg tables', [iceberg]],
  ['Iceberg tables and plain files', [iceberg, others]],
])('the committer may do what it does for %s, and no more', async (_title, pipelines) => {
  const account = await RecordingAccount.withTables(iceberg)
  for (const pipeline of pipelines) await account.land(pipeline)
  account.asked.length = 0
  const filesDatabase = { glue: account.glue, database: 'lake', lakeUrl: 's3://lake' }
  const handler = committerHandler(pipelines, { ...account.surroundings, telemetry: loud, filesDatabase })
  await handler({}, context)
  await handler({}, context)
  expectJustEnough(account.asked, grants('CommitterRole', pipelines))
})

test('a redrive may do what it does, and no more', async () => {
  const account = new RecordingAccount()
  await account.land(plain)
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
  expectJustEnough(account.asked, grants('RedriveRole', [plain]))
})

test('the function of tables may do what it does, and no more', async () => {
  const account = await RecordingAccount.withTables(sensors)
  const resource = tablesResource(() => account.surroundings)
  const apply = async (pipeline: Pipeline) => {
    const properties = JSON.parse(JSON.stringify(tablesProperties(pipeline))) as unknown
    await resource.apply(resource.properties.parse(properties), new AbortController().signal)
  }
  await apply(iceberg)
  await account.land(iceberg)
  account.asked.length = 0
  await apply(iceberg)
  await apply(grown)
  await apply({ ...iceberg, name: 'others', table: { ...iceberg.table, name: 'others' } })
  expectJustEnough(account.asked, grants('TablesRole', [iceberg]))
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
  expectJustEnough(asked, allowed)
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
