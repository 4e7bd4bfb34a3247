import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka'
import { TokenRefusedError } from '#shared/sources/kafka-connection.ts'
import { kafkaError } from '#shared/sources/kafka-faults.ts'

/** As the client wraps what happens while it connects. */
const connecting = (cause: Error) =>
  new MultipleErrors('Cannot connect to any broker.', [new NetworkError('Connection to b:1 failed.', { cause })])
const system = (code: string, message = code) => Object.assign(new Error(message), { code })

test.each([
  [
    'LOGIN_REFUSED',
    false,
    connecting(
      new AuthenticationError('no', { cause: new ProtocolError('SASL_AUTHENTICATION_FAILED', 'bad password') }),
    ),
    'bad password (check KAFKA_USERNAME',
  ],
  [
    'LOGIN_REFUSED',
    false,
    connecting(new AuthenticationError('Invalid server signature.')),
    'Invalid server signature (check',
  ],
  [
    'TOKEN_REFUSED',
    false,
    connecting(new AuthenticationError('no', { cause: new TokenRefusedError('refused: expired') })),
    'refused: expired (is it expired',
  ],
  [
    'SECRET_UNREADABLE',
    false,
    connecting(
      new AuthenticationError('The token provider threw an error.', {
        cause: new Error('no file', { cause: system('ENOENT') }),
      }),
    ),
    'cannot x: no file',
  ],
  [
    'MECHANISM_UNSUPPORTED',
    false,
    connecting(new AuthenticationError('no', { cause: new ProtocolError('UNSUPPORTED_SASL_MECHANISM') })),
    'KAFKA_SASL',
  ],
  ['CERTIFICATE_UNTRUSTED', false, connecting(system('SELF_SIGNED_CERT_IN_CHAIN')), 'KAFKA_CA_FILE'],
  ['CERTIFICATE_UNTRUSTED', false, connecting(system('DEPTH_ZERO_SELF_SIGNED_CERT')), 'KAFKA_CA_FILE'],
  ['CERTIFICATE_UNTRUSTED', false, connecting(system('UNABLE_TO_VERIFY_LEAF_SIGNATURE')), 'KAFKA_CA_FILE'],
  ['CERTIFICATE_UNTRUSTED', false, connecting(system('CERT_HAS_EXPIRED')), 'KAFKA_CA_FILE'],
  ['CERTIFICATE_UNTRUSTED', false, connecting(system('ERR_TLS_CERT_ALTNAME_INVALID')), 'KAFKA_CA_FILE'],
  ['TLS_MISMATCH', false, new UserError('Broker requires TLS.'), 'KAFKA_TLS'],
  ['TLS_MISMATCH', false, connecting(system('ERR_SSL_WRONG_VERSION_NUMBER')), 'KAFKA_TLS'],
  [
    'BROKER_UNREACHABLE',
    true,
    connecting(new UserError('TLS handshake failed. Please verify it.', { cause: system('ECONNRESET') })),
    'TLS handshake failed',
  ],
  [
    'BROKER_UNREACHABLE',
    true,
    connecting(system('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:9092')),
    '10.0.0.1:9092 (is it up',
  ],
  ['BROKER_UNREACHABLE', true, connecting(system('ENOTFOUND')), 'ENOTFOUND'],
  ['BROKER_UNREACHABLE', true, new NetworkError('Connection closed'), 'Connection closed (is it up'],
  [
    'BROKER_UNREACHABLE',
    true,
    new MultipleErrors('fetch failed 3 times.', [
      new NetworkError('Connection closed'),
      new UserError('Cannot find broker with node id 1'),
    ]),
    'Connection closed (is it up',
  ],
  [
    'REQUEST_REFUSED',
    false,
    new NetworkError('Client is closed.', { canRetry: false, closed: true }),
    'Client is closed',
  ],
  ['TOPIC_MISSING', false, new UserError('Unknown topic flights.'), 'inlet topics apply'],
  ['TOPIC_MISSING', false, new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION'), 'inlet topics apply'],
  ['TOPIC_DENIED', false, new ProtocolError('TOPIC_AUTHORIZATION_FAILED'), 'ACL'],
  ['GROUP_DENIED', false, new ProtocolError('GROUP_AUTHORIZATION_FAILED'), 'consumer group'],
  ['CLUSTER_DENIED', false, new ProtocolError('CLUSTER_AUTHORIZATION_FAILED'), 'ACL'],
  ['RECORD_TOO_LARGE', false, new ProtocolError('MESSAGE_TOO_LARGE'), 'max.message.bytes'],
  [
    'TOPIC_EXISTS',
    false,
    new ProtocolError('TOPIC_ALREADY_EXISTS', "Topic 't' already exists."),
    "'t' already exists (",
  ],
  ['PARTITIONS_REFUSED', false, new ProtocolError('INVALID_PARTITIONS'), 'only add'],
  ['REQUEST_REFUSED', false, new ProtocolError('INVALID_CONFIG', 'Not a number.'), 'cannot x: Not a number'],
  ['BROKER_BUSY', true, new ProtocolError('NOT_LEADER_OR_FOLLOWER'), 'cannot x: '],
  ['BROKER_BUSY', true, new ProtocolError('NOT_ENOUGH_REPLICAS'), 'cannot x: '],
  ['BROKER_BUSY', true, new ProtocolError('REBALANCE_IN_PROGRESS'), 'cannot x: '],
  ['BROKER_BUSY', true, new ProtocolError('UNKNOWN_MEMBER_ID'), 'cannot x: '],
  ['BROKER_BUSY', true, new ProtocolError('ILLEGAL_GENERATION'), 'cannot x: '],
  ['BROKER_BUSY', true, new ProtocolError('UNKNOWN_SERVER_ERROR'), 'cannot x: '],
  ['REQUEST_REFUSED', false, new ProtocolError('FENCED_INSTANCE_ID'), 'cannot x: '],
  ['REQUEST_REFUSED', false, new TypeError('a mistake in a program'), 'a mistake in a program'],
])('%s, another attempt can help: %j', (fault, canRetry, error, message) => {
  const found = kafkaError(error, 'cannot x')
  expect(found).toMatchObject({
    name: 'KafkaError',
    fault,
    canRetry,
    message: expect.stringContaining(message) as unknown,
  })
  expect(found.message.split('\n')).toHaveLength(1)
})

test('of several faults the one that no time heals is told', () => {
  const errors = [connecting(system('ECONNREFUSED')), new ProtocolError('TOPIC_AUTHORIZATION_FAILED')]
  expect(kafkaError(new MultipleErrors('both', errors), 'cannot x').fault).toBe('TOPIC_DENIED')
  expect(kafkaError(new MultipleErrors('both', errors.reverse()), 'cannot x').fault).toBe('TOPIC_DENIED')
})

test('an error of ours stays what it is, and none keeps what it was made of', () => {
  const error = kafkaError(Object.assign(system('ECONNREFUSED'), { request: 'with a password' }), 'cannot x')
  expect(kafkaError(error, 'cannot y')).toBe(error)
  expect(
    JSON.stringify(Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name) as unknown)),
  ).not.toContain('password')
})
