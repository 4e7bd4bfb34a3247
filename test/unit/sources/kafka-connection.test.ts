import { clientOptions, type KafkaConnection } from '#shared/sources/kafka-connection.ts'

const PLAIN: KafkaConnection = { brokers: ['b-1.example.com:9098', 'b-2:1'], tls: false, auth: { kind: 'none' } }

test('a client retries nothing by itself, and makes no topics', () => {
  expect(clientOptions(PLAIN, 'me')).toMatchObject({
    clientId: 'me',
    bootstrapBrokers: ['b-1.example.com:9098', 'b-2:1'],
    retries: 0,
    autocreateTopics: false,
  })
  expect(clientOptions(PLAIN, 'me')).not.toHaveProperty('tls')
  expect(clientOptions(PLAIN, 'me')).not.toHaveProperty('sasl')
})

test.each([
  [['b-1.example.com:9098'], true],
  [['127.0.0.1:9098'], false],
  [['[::1]:9098'], false],
  [['b:1', '10.0.0.1:2'], false],
])('servers of %j are told their names: %j', (brokers, tlsServerName) => {
  expect(clientOptions({ ...PLAIN, brokers, tls: { ca: 'PEM' } }, 'me')).toMatchObject({
    tls: { ca: 'PEM' },
    tlsServerName,
  })
})

test('SCRAM is given name and password', async () => {
  const password = () => Promise.resolve('p')
  const { sasl } = clientOptions({ ...PLAIN, auth: { kind: 'scram', hash: 'SHA-256', username: 'u', password } }, 'me')
  expect(sasl).toEqual({ mechanism: 'SCRAM-SHA-256', username: 'u', password })
})

test('a token is asked for at each login, and a challenge in the place of a consent is a refusal', () => {
  const token = () => Promise.resolve('t')
  const { sasl } = clientOptions({ ...PLAIN, auth: { kind: 'oauthbearer', token } }, 'me')
  expect(sasl).toMatchObject({ mechanism: 'OAUTHBEARER', token })
  const answers: unknown[] = []
  const note = (error: Error | null, answer?: Buffer) => answers.push(error ?? answer)
  sasl?.authBytesValidator?.(Buffer.alloc(0), note)
  sasl?.authBytesValidator?.(Buffer.from('{"status":"invalid_token"}'), note)
  expect(answers).toEqual([
    Buffer.alloc(0),
    expect.objectContaining({
      name: 'TokenRefusedError',
      message: expect.stringContaining('invalid_token') as unknown,
    }),
  ])
})

test('the token of IAM is a signed request to the cluster of the region, made from the credentials of the moment', async () => {
  const before = { ...process.env }
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-of-the-test' })
  try {
    const { sasl } = clientOptions({ ...PLAIN, auth: { kind: 'aws-msk-iam', region: 'eu-west-1' } }, 'me')
    const token = typeof sasl?.token === 'function' ? await sasl.token() : ''
    const url = new URL(Buffer.from(token, 'base64url').toString())
    expect(url.host).toBe('kafka.eu-west-1.amazonaws.com')
    expect(url.searchParams.get('Action')).toBe('kafka-cluster:Connect')
    expect(url.searchParams.get('X-Amz-Credential')).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/kafka-cluster\//)
    expect(url.href).not.toContain('secret-of-the-test')
  } finally {
    process.env = before
  }
})
