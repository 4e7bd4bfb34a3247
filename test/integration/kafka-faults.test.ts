import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { unsecuredToken } from '#shared/cli/broker/unsecured-token.ts'
import { kafkaOf } from '#shared/kafka-settings.ts'
import { openTopics } from '#shared/sources/kafka-topics.ts'
import { TopicProducer } from '#shared/sources/topic-producer.ts'
import { inlet } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'

type Environment = Readonly<Record<string, string>>

/** What Kafka says is wrong, from a broker that checks logins and permissions; in place of a mock of what it might say. */
describe('a broker with TLS, logins and permissions', () => {
  const directory = temporaryDirectory()
  const kafka = temporaryKafka({ tls: true })
  let scram: Environment
  let bearer: Environment

  beforeAll(async () => {
    await kafka().createTopic('private')
    scram = await kafka().environment('scram')
    bearer = await kafka().environment('oauthbearer')
  })

  /** Sends a record; what goes wrong, and how often it was tried again. */
  async function send(environment: Environment, topic = 'private') {
    let pauses = 0
    const startup = { now: () => performance.now(), withinMs: 1500, onPause: () => pauses++ }
    try {
      const producer = await TopicProducer.open(kafkaOf(environment), topic, startup)
      try {
        await producer.send({ key: null, value: Buffer.from('{}') })
      } finally {
        await producer.abandon()
      }
    } catch (error) {
      return { fault: (error as { fault?: string }).fault, message: (error as Error).message, pauses }
    }
    return { fault: 'none', message: '', pauses }
  }

  const without = (environment: Environment): Environment => {
    const secrets = new Set(['KAFKA_PASSWORD_FILE', 'KAFKA_TOKEN_FILE'])
    return Object.fromEntries(Object.entries(environment).filter(([name]) => !secrets.has(name)))
  }
  const seconds = () => Math.floor(Date.now() / 1000)

  test('who may, can', async () => {
    expect(await send(scram)).toMatchObject({ fault: 'none' })
    expect(await send(bearer)).toMatchObject({ fault: 'none' })
    expect(await send(await kafka().environment('tls'))).toMatchObject({ fault: 'none' })
  })

  test('a wrong password is tried once, and is not in the message', async () => {
    const wrong = { ...without(scram), KAFKA_PASSWORD: 'hush-hush' }
    const { fault, message, pauses } = await send(wrong)
    expect([fault, pauses]).toEqual(['LOGIN_REFUSED', 0])
    expect(message).toMatch(
      /^cannot produce to the topic private of 127\.0\.0\.1:\d+: .*invalid credentials.*check KAFKA_USERNAME/,
    )
    expect(message).not.toContain('hush')
    expect(await send({ ...scram, KAFKA_USERNAME: 'nobody' })).toMatchObject({ fault: 'LOGIN_REFUSED', pauses: 0 })
  })

  test('a token that has expired, or is none, is refused; the one that follows in its file is taken', async () => {
    const file = path.join(directory(), 'token')
    const environment = { ...without(bearer), KAFKA_TOKEN_FILE: file }
    const token = unsecuredToken('inlet', seconds() - 7200, seconds() - 3600)
    await writeFile(file, token)
    const { fault, message, pauses } = await send(environment)
    expect([fault, pauses]).toEqual(['TOKEN_REFUSED', 0])
    expect(message).toMatch(/invalid_token.*KAFKA_TOKEN_FILE is read anew/)
    expect(message).not.toContain(token)
    await writeFile(file, 'none')
    expect(await send(environment)).toMatchObject({ fault: 'TOKEN_REFUSED', pauses: 0 })
    // Not even the form of one: what breaks the message of a login is refused before anybody looks at the token.
    await writeFile(file, 'no token')
    expect(await send(environment)).toMatchObject({ fault: 'LOGIN_REFUSED', pauses: 0 })
    await writeFile(file, unsecuredToken('inlet', seconds() - 10, seconds() + 3600))
    expect(await send(environment)).toMatchObject({ fault: 'none' })
  })

  test('a password that cannot be read names its file', async () => {
    const { fault, message } = await send({ ...without(scram), KAFKA_PASSWORD_FILE: '/no/such/file' })
    expect(fault).toBe('SECRET_UNREADABLE')
    expect(message).toContain('KAFKA_PASSWORD_FILE: ENOENT')
  })

  test('a login that the broker does not offer', async () => {
    expect(await send({ ...scram, KAFKA_SASL: 'scram-sha-256' })).toMatchObject({
      fault: 'MECHANISM_UNSUPPORTED',
      pauses: 0,
    })
  })

  test('a certificate of nobody that we know', async () => {
    const { fault, message, pauses } = await send({ ...scram, KAFKA_CA_FILE: '' })
    expect([fault, pauses]).toEqual(['CERTIFICATE_UNTRUSTED', 0])
    expect(message).toMatch(/certificate.*set KAFKA_CA_FILE/)
  })

  test('a port that speaks TLS, or does not', async () => {
    const tls = await kafka().environment('tls')
    expect(await send({ KAFKA_BROKERS: tls['KAFKA_BROKERS'] ?? '' })).toMatchObject({
      fault: 'TLS_MISMATCH',
      pauses: 0,
    })
    const encrypted = await send({ ...tls, KAFKA_BROKERS: kafka().brokers })
    expect(encrypted).toMatchObject({
      fault: 'BROKER_UNREACHABLE',
      message: expect.stringContaining('TLS handshake failed') as unknown,
    })
  })

  test('a broker that is not there is waited for, not for ever', async () => {
    const { fault, message, pauses } = await send({ KAFKA_BROKERS: '127.0.0.1:1' })
    expect(fault).toBe('BROKER_UNREACHABLE')
    expect(pauses).toBeGreaterThanOrEqual(2)
    expect(message).toMatch(/ECONNREFUSED 127\.0\.0\.1:1 \(is it up/)
  })

  test('a topic that is not there', async () => {
    expect(await send(scram, 'no-such-topic')).toEqual({
      fault: 'TOPIC_MISSING',
      message: expect.stringMatching(/no-such-topic .*`inlet topics apply` makes/) as unknown,
      pauses: 0,
    })
  })

  test('a topic that is not for this user, nor to be described or made', async () => {
    const stranger = await kafka().environment('scram', 'stranger')
    expect(await send(stranger)).toMatchObject({
      fault: 'TOPIC_DENIED',
      pauses: 0,
      message: expect.stringContaining('ACL') as unknown,
    })
    const topics = openTopics(kafkaOf(stranger))
    const nothing = { partitions: 1, replication: null, configs: {} }
    await expect(topics.describe(['private'])).rejects.toMatchObject({ fault: 'TOPIC_DENIED' })
    await expect(topics.create('mine', nothing)).rejects.toMatchObject({ fault: 'TOPIC_DENIED' })
    await expect(topics.addPartitions('private', 9)).rejects.toMatchObject({ fault: 'TOPIC_DENIED' })
    await expect(topics.alterConfigs('private', { 'retention.ms': '1' })).rejects.toMatchObject({
      fault: 'TOPIC_DENIED',
    })
    await topics.close()
  })

  test('a command says it in one line, and ends with 1', async () => {
    const { code, stdout, stderr } = await inlet([
      'produce',
      'nope',
      '--from',
      'package.json',
      '--kafka',
      kafka().brokers,
    ])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^inlet: cannot produce to the topic nope of 127\.0\.0\.1:\d+: Unknown topic nope \(.*\)\n$/)
  })
})
