import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { kafkaOf } from '#shared/kafka-settings.ts'

const BROKERS = { KAFKA_BROKERS: 'b-1.example.com:9092,b-2.example.com:9092' }
const SCRAM = { ...BROKERS, KAFKA_SASL: 'scram-sha-512', KAFKA_USERNAME: 'ada', KAFKA_PASSWORD: 'hush-hush' }

test('brokers alone are reached without encryption and without a login', () => {
  expect(kafkaOf(BROKERS)).toEqual({
    brokers: ['b-1.example.com:9092', 'b-2.example.com:9092'],
    tls: false,
    auth: { kind: 'none' },
  })
})

test('what a command is told wins over the environment, and an empty variable is none', () => {
  expect(kafkaOf({ ...BROKERS, KAFKA_SASL: '', KAFKA_TLS: '' }, '[::1]:9092, other:1')).toEqual({
    brokers: ['[::1]:9092', 'other:1'],
    tls: false,
    auth: { kind: 'none' },
  })
})

test.each([
  [{ KAFKA_BROKERS: 'b:9092' }, false],
  [{ KAFKA_BROKERS: 'b:9094' }, {}],
  [{ KAFKA_BROKERS: 'b:9096' }, {}],
  [{ KAFKA_BROKERS: 'a:1,b:9098' }, {}],
  [{ KAFKA_BROKERS: 'b:19094' }, false],
  [{ KAFKA_BROKERS: 'b:9098', KAFKA_TLS: 'false' }, false],
  [{ KAFKA_BROKERS: 'b:9092', KAFKA_TLS: 'true' }, {}],
  [SCRAM, {}],
  [{ ...SCRAM, KAFKA_TLS: 'false' }, false],
])('%j: whether it is encrypted is said, or seen by the login and the port', (environment, tls) => {
  expect(kafkaOf(environment).tls).toEqual(tls)
})

test('each mechanism has what it logs in with', async () => {
  const scram = kafkaOf(SCRAM).auth
  expect(scram).toMatchObject({ kind: 'scram', hash: 'SHA-512', username: 'ada' })
  await expect(scram.kind === 'scram' && scram.password()).resolves.toBe('hush-hush')
  expect(kafkaOf({ ...SCRAM, KAFKA_SASL: 'scram-sha-256' }).auth).toMatchObject({ hash: 'SHA-256' })
  const bearer = kafkaOf({ ...BROKERS, KAFKA_SASL: 'oauthbearer', KAFKA_TOKEN: 'abc' }).auth
  await expect(bearer.kind === 'oauthbearer' && bearer.token()).resolves.toBe('abc')
  expect(kafkaOf({ ...BROKERS, KAFKA_SASL: 'aws-msk-iam', AWS_REGION: 'eu-west-1' }).auth).toEqual({
    kind: 'aws-msk-iam',
    region: 'eu-west-1',
  })
})

test('no secret is in what can be printed', () => {
  expect(inspect(kafkaOf(SCRAM), { depth: 9 }) + JSON.stringify(kafkaOf(SCRAM))).not.toContain('hush')
  expect(() => kafkaOf({ ...SCRAM, KAFKA_TLS: 'perhaps', KAFKA_USERNAME: '' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hush') as unknown }),
  )
})

test.each([
  [{}, undefined, 'KAFKA_BROKERS: expected host:port of a broker'],
  [{ KAFKA_BROKERS: 'b' }, undefined, 'KAFKA_BROKERS: expected host:port'],
  [{ KAFKA_BROKERS: 'b:9092,' }, undefined, 'KAFKA_BROKERS: expected host:port'],
  [{ KAFKA_BROKERS: 'https://b:9092' }, undefined, 'KAFKA_BROKERS: expected host:port'],
  [BROKERS, 'b', '--kafka: expected host:port'],
  [{ ...BROKERS, KAFKA_TLS: 'yes' }, undefined, 'KAFKA_TLS: expected true or false'],
  [{ ...BROKERS, KAFKA_SASL: 'plain' }, undefined, 'KAFKA_SASL: expected scram-sha-512'],
  [{ ...BROKERS, KAFKA_USERNAME: 'ada' }, undefined, 'KAFKA_SASL: KAFKA_USERNAME is set'],
  [{ ...SCRAM, KAFKA_PASSWORD: '' }, undefined, 'KAFKA_PASSWORD or KAFKA_PASSWORD_FILE: scram-sha-512 needs it'],
  [{ ...SCRAM, KAFKA_PASSWORD_FILE: '/p' }, undefined, 'KAFKA_PASSWORD and KAFKA_PASSWORD_FILE: both are set'],
  [{ ...BROKERS, KAFKA_SASL: 'oauthbearer' }, undefined, 'KAFKA_TOKEN or KAFKA_TOKEN_FILE: oauthbearer needs it'],
  [{ ...BROKERS, KAFKA_SASL: 'aws-msk-iam' }, undefined, 'AWS_REGION: aws-msk-iam needs it'],
  [{ ...BROKERS, KAFKA_CA_FILE: '/no/such.pem' }, undefined, 'KAFKA_CA_FILE: ENOENT'],
])('%j is refused, with the name of what is wrong', (environment, option, message) => {
  expect(() => kafkaOf(environment, option)).toThrow(
    expect.objectContaining({ name: 'SettingsError', message: expect.stringContaining(message) as unknown }),
  )
})

describe('files', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-settings-'))
  })

  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('a secret in a file is read at each login, without the end of its line', async () => {
    const file = path.join(folder, 'token')
    const { auth } = kafkaOf({ ...BROKERS, KAFKA_SASL: 'oauthbearer', KAFKA_TOKEN_FILE: file })
    const token = () => (auth.kind === 'oauthbearer' ? auth.token() : Promise.resolve(''))
    await expect(token()).rejects.toThrow('KAFKA_TOKEN_FILE: ENOENT')
    await writeFile(file, 'first\n')
    await expect(token()).resolves.toBe('first')
    await writeFile(file, 'second')
    await expect(token()).resolves.toBe('second')
  })

  test('certificates are read at once, mean encryption, and have to be certificates', async () => {
    const file = path.join(folder, 'ca.pem')
    const ca = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n'
    await writeFile(file, ca)
    expect(kafkaOf({ ...BROKERS, KAFKA_CA_FILE: file }).tls).toEqual({ ca })
    await writeFile(file, 'a key, perhaps')
    expect(() => kafkaOf({ ...BROKERS, KAFKA_CA_FILE: file })).toThrow('holds no certificate')
  })
})
