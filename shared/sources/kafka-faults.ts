import { TokenRefusedError } from './kafka-connection.ts'

/**
 * Everything that can be wrong between us and Kafka, with whether trying again can help. Of several faults in one error, as
 * of several brokers, the first of this list is the one to speak of.
 */
const FAULTS = {
  SECRET_UNREADABLE: { canRetry: false, advice: '' },
  TOKEN_REFUSED: {
    canRetry: false,
    advice: 'is it expired, or for another cluster? KAFKA_TOKEN_FILE is read anew at each login',
  },
  LOGIN_REFUSED: {
    canRetry: false,
    advice: 'check KAFKA_USERNAME and its password, or the token; with IAM, that the role may kafka-cluster:Connect',
  },
  MECHANISM_UNSUPPORTED: { canRetry: false, advice: 'the broker logs in otherwise at this port: check KAFKA_SASL' },
  CERTIFICATE_UNTRUSTED: {
    canRetry: false,
    advice: 'if the certificate is your own, set KAFKA_CA_FILE to that of its issuer (PEM)',
  },
  TLS_MISMATCH: { canRetry: false, advice: 'one side speaks TLS and the other does not: check the port and KAFKA_TLS' },
  TOPIC_DENIED: {
    canRetry: false,
    advice: 'the topic is not for this user: ask for an ACL, or with IAM for its actions',
  },
  GROUP_DENIED: {
    canRetry: false,
    advice: 'the consumer group is not for this user: ask for an ACL, or with IAM for kafka-cluster:AlterGroup',
  },
  CLUSTER_DENIED: { canRetry: false, advice: 'this user may not do that to the cluster: ask for an ACL' },
  TOPIC_MISSING: { canRetry: false, advice: 'there is no such topic: `inlet topics apply` makes those of pipelines' },
  RECORD_TOO_LARGE: {
    canRetry: false,
    advice: 'a record is larger than the max.message.bytes of its topic: raise it, or send less in one record',
  },
  TOPIC_EXISTS: { canRetry: false, advice: 'somebody has made it' },
  PARTITIONS_REFUSED: { canRetry: false, advice: 'Kafka can only add partitions' },
  REQUEST_REFUSED: { canRetry: false, advice: '' },
  BROKER_UNREACHABLE: {
    canRetry: true,
    advice:
      'is it up, is the address right, and may it be reached from here? Brokers hang up on who speaks no TLS or does not log in where they ask for it',
  },
  BROKER_BUSY: { canRetry: true, advice: '' },
} as const satisfies Record<string, { canRetry: boolean; advice: string }>

export type KafkaFault = keyof typeof FAULTS

/** What Kafka did not do, and why, in one line for a person. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  readonly fault: KafkaFault
  readonly canRetry: boolean

  constructor(fault: KafkaFault, message: string) {
    super(message)
    this.fault = fault
    this.canRetry = FAULTS[fault].canRetry
  }
}

/** What the protocol calls its errors (Apache Kafka documentation, "Protocol", section "Error Codes"). */
const PROTOCOL: Readonly<Record<string, KafkaFault>> = {
  SASL_AUTHENTICATION_FAILED: 'LOGIN_REFUSED',
  ILLEGAL_SASL_STATE: 'MECHANISM_UNSUPPORTED',
  UNSUPPORTED_SASL_MECHANISM: 'MECHANISM_UNSUPPORTED',
  TOPIC_AUTHORIZATION_FAILED: 'TOPIC_DENIED',
  GROUP_AUTHORIZATION_FAILED: 'GROUP_DENIED',
  CLUSTER_AUTHORIZATION_FAILED: 'CLUSTER_DENIED',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'CLUSTER_DENIED',
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_MISSING',
  UNKNOWN_TOPIC_ID: 'TOPIC_MISSING',
  TOPIC_ALREADY_EXISTS: 'TOPIC_EXISTS',
  INVALID_PARTITIONS: 'PARTITIONS_REFUSED',
  MESSAGE_TOO_LARGE: 'RECORD_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'RECORD_TOO_LARGE',
  // The client takes them for final. A group that is on the move settles, and who was put out of it joins again.
  REBALANCE_IN_PROGRESS: 'BROKER_BUSY',
  UNKNOWN_MEMBER_ID: 'BROKER_BUSY',
  ILLEGAL_GENERATION: 'BROKER_BUSY',
  MEMBER_ID_REQUIRED: 'BROKER_BUSY',
  // What a broker says that is about to go down, too.
  UNKNOWN_SERVER_ERROR: 'BROKER_BUSY',
}

/** How OpenSSL and Node say that a certificate is not to be trusted (Node.js documentation, "X509 certificate error codes"). */
const CERTIFICATE =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)_\w+|(?:DEPTH_ZERO_)?SELF_SIGNED_\w+|(?:CERT|CRL)_\w+)$/

/**
 * The one place where errors of the Kafka client become ours. The original is not kept as the cause: it holds the client's
 * requests, and loggers print properties.
 * @param cannot what was tried, and where: `cannot read the topics of b-1:9098`
 */
export function kafkaError(error: unknown, cannot: string): KafkaError {
  if (error instanceof KafkaError) return error
  const order = Object.keys(FAULTS) as KafkaFault[]
  const found = leaves(error).map((leaf) => ({ fault: faultOf(leaf), reason: reasonOf(leaf) }))
  found.sort((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault))
  const { fault, reason } = found[0] ?? { fault: 'REQUEST_REFUSED' as const, reason: String(error) }
  const { advice } = FAULTS[fault]
  return new KafkaError(fault, `${cannot}: ${reason}${advice === '' ? '' : ` (${advice})`}`)
}

/** The client wraps errors in causes and lists: what says most lies innermost. */
function leaves(error: unknown): readonly unknown[] {
  if (!(error instanceof Error) || ENDS.some((end) => end.test(error.message))) return [error]
  const listed = 'errors' in error && Array.isArray(error.errors) ? (error.errors as unknown[]) : []
  const inner = [...listed, error.cause].filter((each) => each !== undefined && each !== null)
  return inner.length === 0 ? [error] : inner.flatMap(leaves)
}

const SECRET_UNREADABLE = /provider (?:threw an error|should re)/
const HANDSHAKE_FAILED = /^TLS handshake failed/
/** Errors of the client that say more than what caused them. */
const ENDS = [SECRET_UNREADABLE, HANDSHAKE_FAILED]

function faultOf(error: unknown): KafkaFault {
  if (error instanceof TokenRefusedError) return 'TOKEN_REFUSED'
  const { message, apiId, code = '', canRetry, closed } = error as ClientError
  if (apiId !== undefined) return PROTOCOL[apiId] ?? (canRetry === true ? 'BROKER_BUSY' : 'REQUEST_REFUSED')
  if (CERTIFICATE.test(code)) return 'CERTIFICATE_UNTRUSTED'
  if (/^(?:EPROTO$|ERR_SSL_)/.test(code) || message.startsWith('Broker requires TLS')) return 'TLS_MISMATCH'
  if (message.startsWith('Unknown topic ')) return 'TOPIC_MISSING'
  // It is gone, and what it led is led by others, whom the next look at the cluster will tell.
  if (message.startsWith('Cannot find broker with node id ')) return 'BROKER_UNREACHABLE'
  if (code === 'PLT_KFK_AUTHENTICATION') return SECRET_UNREADABLE.test(message) ? 'SECRET_UNREADABLE' : 'LOGIN_REFUSED'
  // A broker that goes down in a handshake looks like one that speaks no TLS: only time can tell.
  if (HANDSHAKE_FAILED.test(message)) return 'BROKER_UNREACHABLE'
  if (/^(?:PLT_KFK_(?:NETWORK|UNEXPECTED_CORRELATION_ID)|E[A-Z_]+)$/.test(code) && closed !== true)
    return 'BROKER_UNREACHABLE'
  return 'REQUEST_REFUSED'
}

/** What the client and Node add to an error. */
interface ClientError extends Error {
  readonly apiId?: string
  readonly code?: string
  readonly canRetry?: boolean
  /** The client was closed, by us. */
  readonly closed?: boolean
  readonly serverErrorMessage?: string | null
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { serverErrorMessage, message, cause } = error as ClientError
  if (SECRET_UNREADABLE.test(message) && cause instanceof Error) return cause.message
  return (serverErrorMessage || message).replace(/\.$/, '')
}
