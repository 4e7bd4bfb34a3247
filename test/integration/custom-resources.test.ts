import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'
import { CreateDatabaseCommand, GetTableCommand } from '@aws-sdk/client-glue'
import { Logger } from '@aws-lambda-powertools/logger'
import type { Context } from 'aws-lambda'
import { flights } from '#functions/flights/pipeline.ts'
import type { Environment } from '#shared/config.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { kafkaOf } from '#shared/kafka-settings.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { defineTopicSettings, type TopicSettingsOptions } from '#shared/pipeline/topic-settings.ts'
import { type CustomResource, customResourceHandler, type ResourceAnswer } from '#shared/runtimes/custom-resource.ts'
import { tablesResource } from '#shared/runtimes/tables.ts'
import { topicResource } from '#shared/runtimes/topics.ts'
import { openTopics } from '#shared/sources/kafka-topics.ts'
import { bundleHandler } from '#test/bench/built-handler.ts'
import { CloudFormationAnswers } from '#test/helpers/cloudformation-answers.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'
import { tablesProperties, topicProperties } from '../../infra/custom-resources.ts'

const directory = temporaryDirectory()
let answers: CloudFormationAnswers

beforeAll(async () => {
  answers = await CloudFormationAnswers.start()
})
afterAll(() => answers.stop())

/** CloudFormation's side of a resource: asks, and hands on the id that it was told. */
function stack<Properties>(resource: CustomResource<Properties>, remaining = 60_000) {
  const handler = customResourceHandler(resource, new Logger({ logLevel: 'SILENT' }))
  let id: string | undefined
  return async (type: 'Create' | 'Update' | 'Delete', properties: unknown) => {
    const texts: unknown = JSON.parse(
      JSON.stringify(properties, (_, value: unknown) => (typeof value === 'number' ? `${value}` : value)),
    )
    await handler(answers.request(type, texts, id), { getRemainingTimeInMillis: () => remaining } as Context)
    id = answers.answer.PhysicalResourceId
    return answers.answer
  }
}

describe('Custom::KafkaTopic on a broker', () => {
  const kafka = temporaryKafka({ tls: true })

  const properties = (options: TopicSettingsOptions, topic = 'flights', brokers?: string) =>
    topicProperties([{ name: 'flights', topic, topicSettings: defineTopicSettings(options) }], brokers).get(topic)

  test('is made, made again, changed, refused and left alone', async () => {
    const call = stack(topicResource(await kafka().environment('scram'), openTopics))
    const made = { Status: 'SUCCESS', PhysicalResourceId: 'kafka-topic:flights' }
    expect(await call('Create', properties({ partitions: 2 }))).toMatchObject(made)
    expect(await call('Create', properties({ partitions: 2 }))).toMatchObject(made)
    expect(await call('Update', properties({ partitions: 3, retention: '2 days' }))).toMatchObject(made)
    const topics = openTopics(kafkaOf({}, kafka().brokers))
    const state = async () => (await topics.describe(['flights'])).get('flights')
    expect(await state()).toMatchObject({ partitions: 3, configs: { 'retention.ms': '172800000' } })
    expect(await call('Update', properties({ partitions: 1 }))).toMatchObject({
      ...made,
      Status: 'FAILED',
      Reason: expect.stringMatching(/flights: it has 3 partitions and 1 are declared/),
    })
    expect(await call('Delete', properties({ partitions: 3 }))).toMatchObject(made)
    expect(await state()).toMatchObject({ partitions: 3 })
    await topics.close()
  })

  test('says what is wrong with the login and with the rights', async () => {
    const wrong = { ...(await kafka().environment('scram')), KAFKA_PASSWORD: 'wrong', KAFKA_PASSWORD_FILE: '' }
    const refused = await stack(topicResource(wrong, openTopics))('Create', properties({}))
    expect(refused).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/check KAFKA_USERNAME/) })
    const stranger = await kafka().environment('scram', 'stranger')
    const denied = await stack(topicResource(stranger, openTopics))('Create', properties({}, 'theirs'))
    expect(denied).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/ask for an ACL/) })
  })

  /** Invokes the bundle of a function as Lambda does, on a machine that knows nothing else. @returns what CloudFormation is told */
  async function invokeBundle(name: string, request: unknown, environment: Environment): Promise<ResourceAnswer> {
    const outfile = path.join(directory(), 'handler.cjs')
    await bundleHandler(name, outfile)
    const script = `require(${JSON.stringify(outfile)}).handler(${JSON.stringify(request)}, { getRemainingTimeInMillis: () => 20000 })`
    const child = spawn(process.execPath, ['-e', script], { env: { AWS_REGION: 'us-east-1', ...environment } })
    child.stdout.resume()
    child.stderr.resume()
    await once(child, 'close')
    return answers.answer
  }

  test('the bundle that is deployed makes one, and signs tokens for MSK with the credentials of its role', async () => {
    const request = (topic: string) => answers.request('Create', properties({ partitions: 2 }, topic))
    const scram = await kafka().environment('scram')
    expect(await invokeBundle('topics', request('bundled'), scram)).toMatchObject({ Status: 'SUCCESS' })
    const topics = openTopics(kafkaOf({}, kafka().brokers))
    expect((await topics.describe(['bundled'])).get('bundled')).toMatchObject({ partitions: 2 })
    await topics.close()

    const { KAFKA_TOKEN_FILE: _, ...bearer } = await kafka().environment('oauthbearer')
    const iam = { ...bearer, KAFKA_SASL: 'aws-msk-iam' }
    const withoutKeys = await invokeBundle('topics', request('signed'), iam)
    expect(withoutKeys).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/credentials/) })
    // This broker is not MSK's, and knows no such signature.
    const keys = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' }
    const signed = await invokeBundle('topics', request('signed'), { ...iam, ...keys })
    expect(signed).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/refused the token/) })
  })

  test('answers in time when there is no broker', async () => {
    const call = stack(topicResource({}, openTopics), 3000)
    const answer = await call('Create', properties({}, 'flights', '127.0.0.1:1'))
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/127.0.0.1:1|no more time/) })
  })
})

describe('Custom::IcebergTables on Glue', () => {
  let moto: Moto

  beforeAll(async () => {
    moto = await Moto.start()
    await moto.createBucket('lake')
    await moto.glue().send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'inlet' } }))
  }, START_TIMEOUT_MS)
  afterAll(() => moto?.stop())

  const open = (database = 'inlet') => {
    const store = new S3Store(`s3://lake/${database}`, { client: moto.s3() })
    return { store, tables: openCatalog(`glue:${database}`, store, { glue: moto.glue() }), now: Date.now }
  }

  /** The flights with a column more. */
  const wider = (): Pipeline => {
    const { table } = flights
    const columns = [{ name: 'gate', type: { kind: 'string' }, nullable: true } as const, ...table.columns]
    return { ...flights, table: { ...table, columns, lock: lockFor({ ...table, columns }, table.lock ?? undefined) } }
  }

  test('are made, made again, changed and left alone', async () => {
    const call = stack(tablesResource(() => open()))
    const made = { Status: 'SUCCESS', PhysicalResourceId: 'iceberg-tables:flights:0' }
    expect(await call('Create', tablesProperties(flights))).toMatchObject({
      ...made,
      Data: { Tables: 'flights,flights_dead_letters' },
    })
    const glueTable = async () => {
      const { Table } = await moto.glue().send(new GetTableCommand({ DatabaseName: 'inlet', Name: 'flights' }))
      return Table
    }
    const first = await glueTable()
    expect(first?.Parameters?.['table_type']?.toUpperCase()).toBe('ICEBERG')
    expect(await call('Create', tablesProperties(flights))).toMatchObject(made)
    expect((await glueTable())?.Parameters?.['metadata_location']).toBe(first?.Parameters?.['metadata_location'])
    expect(await call('Update', tablesProperties(wider()))).toMatchObject(made)
    const { metadata } = (await open().tables.catalog.load('flights')) ?? {}
    const current = metadata?.schemas.find((schema) => schema['schema-id'] === metadata['current-schema-id'])
    expect(current?.fields.map(({ name }) => name)).toContain('gate')
    // Code that is rolled back takes nothing away.
    expect(await call('Update', tablesProperties(flights))).toMatchObject(made)
    expect(await call('Delete', tablesProperties(flights))).toMatchObject(made)
    expect(await open().tables.catalog.load('flights')).toBeDefined()
  })

  test('say that their database is missing', async () => {
    const answer = await stack(tablesResource(() => open('nowhere')))('Create', tablesProperties(flights))
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/nowhere/) })
  })
})
