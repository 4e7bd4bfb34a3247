import { isIP } from 'node:net'
import type { BaseOptions, ConnectionOptions } from '@platformatic/kafka'

/** How to reach a Kafka cluster. Secrets are functions: they are asked for at each login, and no log can show them. */
export interface KafkaConnection {
  /** `host:port` of at least one broker. */
  readonly brokers: readonly string[]
  /** Whether the connection is encrypted; `ca` holds the certificates (PEM) to trust in place of those of Node. */
  readonly tls: false | { readonly ca?: string }
  readonly auth: KafkaAuth
}

export type KafkaAuth =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'scram'
      readonly hash: 'SHA-256' | 'SHA-512'
      readonly username: string
      readonly password: () => Promise<string>
    }
  | { readonly kind: 'oauthbearer'; readonly token: () => Promise<string> }
  | { readonly kind: 'aws-msk-iam'; readonly region: string }

const CONNECT_TIMEOUT_MS = 5000
/** As long as a group waits for a member that is silent: so long a broker can take for its answer to one that joins. */
const REQUEST_TIMEOUT_MS = 30_000

/**
 * The options that every client of a cluster shares. Topics are never made by the way, and nothing is retried inside: the
 * client takes a wrong password for a fault of the network and would try it again.
 */
export function clientOptions(connection: KafkaConnection, clientId: string): BaseOptions {
  return {
    clientId,
    bootstrapBrokers: [...connection.brokers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retries: 0,
    autocreateTopics: false,
    ...encryption(connection),
    ...login(connection.auth),
  }
}

function encryption({ brokers, tls }: KafkaConnection): Pick<ConnectionOptions, 'tls' | 'tlsServerName'> {
  if (tls === false) return {}
  // A server is not told its name when it is an address (RFC 6066, section 3); Node warns when one is.
  const isNamed = brokers.every((broker) => isIP(hostOf(broker)) === 0)
  return { tls: tls.ca === undefined ? {} : { ca: tls.ca }, tlsServerName: isNamed }
}

/** `b-1.example.com` of `b-1.example.com:9098`, `::1` of `[::1]:9092` */
function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replace(/^\[(?<host>.*)\]$/, '$<host>')
}

function login(auth: KafkaAuth): Pick<ConnectionOptions, 'sasl'> {
  switch (auth.kind) {
    case 'none':
      return {}
    case 'scram':
      return { sasl: { mechanism: `SCRAM-${auth.hash}`, username: auth.username, password: auth.password } }
    case 'oauthbearer':
      return { sasl: { mechanism: 'OAUTHBEARER', token: auth.token, authBytesValidator: refuseChallenge } }
    case 'aws-msk-iam':
      return {
        sasl: { mechanism: 'OAUTHBEARER', token: () => mskToken(auth.region), authBytesValidator: refuseChallenge },
      }
  }
}

/** A token is good for 15 minutes and costs no call: one is signed for each login, with the credentials of that moment. */
async function mskToken(region: string): Promise<string> {
  // Only clusters with IAM need the signer, and it is slow to load.
  const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js')
  const { token } = await generateAuthToken({ region })
  return token
}

/**
 * A broker answers a good token with nothing. To a bad one it says why, as a success of the protocol, and waits for the
 * client to give up (RFC 7628, section 3.2.2): without this check the client would go on as if it were logged in.
 */
function refuseChallenge(answer: Buffer, callback: (error: Error | null, answer?: Buffer) => void): void {
  if (answer.length === 0) callback(null, answer)
  else callback(new TokenRefusedError(`the broker refused the token: ${answer.toString('utf8')}`))
}

/** The broker does not accept a token; its reason is in the message, never the token. */
export class TokenRefusedError extends Error {
  override readonly name = 'TokenRefusedError'
}
