import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { KafkaAuth, KafkaConnection } from '#shared/sources/kafka-connection.ts'
import type { Environment } from './config.ts'

const BROKER = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:,/[\]]+):(?<port>\d{1,5})$/
const BROKERS_EXPECTED = 'expected host:port of a broker, or of several with commas between'
/** The ports on which MSK speaks TLS: alone, with SCRAM, with IAM (Amazon MSK Developer Guide, "Port information"). */
const TLS_PORTS = new Set(['9094', '9096', '9098'])
const MECHANISMS = ['scram-sha-512', 'scram-sha-256', 'oauthbearer', 'aws-msk-iam'] as const

const KafkaSettings = z
  .object({
    KAFKA_BROKERS: z
      .string({ error: `${BROKERS_EXPECTED}; it is not set, and there is no --kafka` })
      .transform((text) => text.split(',').map((broker) => broker.trim()))
      .pipe(z.array(z.string().regex(BROKER, { error: BROKERS_EXPECTED }))),
    KAFKA_TLS: z.enum(['true', 'false'], { error: 'expected true or false' }).optional(),
    KAFKA_CA_FILE: z.string().optional(),
    KAFKA_SASL: z.enum(MECHANISMS, { error: `expected ${MECHANISMS.join(', ')}` }).optional(),
    KAFKA_USERNAME: z.string().optional(),
    KAFKA_PASSWORD: z.string().optional(),
    KAFKA_PASSWORD_FILE: z.string().optional(),
    KAFKA_TOKEN: z.string().optional(),
    KAFKA_TOKEN_FILE: z.string().optional(),
    AWS_REGION: z.string().optional(),
  })
  .superRefine((settings, context) => {
    const refuse = (variable: string, message: string) =>
      context.addIssue({ code: 'custom', path: [variable], message, input: undefined })
    if (settings.KAFKA_SASL === undefined) {
      const login = (['KAFKA_USERNAME', 'KAFKA_TOKEN', 'KAFKA_TOKEN_FILE'] as const).find((name) => name in settings)
      if (login !== undefined) refuse('KAFKA_SASL', `${login} is set: say how to log in, ${MECHANISMS.join(', ')}`)
      return
    }
    for (const alternatives of LOGIN_NEEDS[settings.KAFKA_SASL]) {
      const given = alternatives.filter((name) => name in settings)
      if (given.length === 0) refuse(alternatives.join(' or '), `${settings.KAFKA_SASL} needs it`)
      if (given.length > 1) refuse(given.join(' and '), 'both are set: take one of them away')
    }
  })

/** What a mechanism logs in with: one of each list. */
const LOGIN_NEEDS = {
  'scram-sha-512': [['KAFKA_USERNAME'], ['KAFKA_PASSWORD', 'KAFKA_PASSWORD_FILE']],
  'scram-sha-256': [['KAFKA_USERNAME'], ['KAFKA_PASSWORD', 'KAFKA_PASSWORD_FILE']],
  oauthbearer: [['KAFKA_TOKEN', 'KAFKA_TOKEN_FILE']],
  'aws-msk-iam': [['AWS_REGION']],
} as const

/** A setting that is missing or wrong; what a secret holds is never in its message. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/**
 * How to reach Kafka. An empty variable is one that is not set.
 * @param brokers what an option of a command says, `host:port,…`: it wins over `KAFKA_BROKERS`
 * @throws SettingsError naming each variable that is missing or wrong
 */
export function kafkaOf(environment: Environment, brokers?: string): KafkaConnection {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')
  const parsed = KafkaSettings.safeParse({
    ...Object.fromEntries(set),
    ...(brokers === undefined ? {} : { KAFKA_BROKERS: brokers }),
  })
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path: [variable], message }) => {
      const name = variable === 'KAFKA_BROKERS' && brokers !== undefined ? '--kafka' : String(variable)
      return `${name}: ${message}`
    })
    throw new SettingsError(`Kafka cannot be reached with these settings: ${[...new Set(faults)].join('; ')}`)
  }
  const { KAFKA_BROKERS, KAFKA_CA_FILE } = parsed.data
  const ca = KAFKA_CA_FILE === undefined ? {} : { ca: certificates(KAFKA_CA_FILE) }
  return { brokers: KAFKA_BROKERS, tls: isEncrypted(parsed.data) ? ca : false, auth: authOf(parsed.data) }
}

type KafkaSettings = z.output<typeof KafkaSettings>

function isEncrypted({ KAFKA_TLS, KAFKA_CA_FILE, KAFKA_SASL, KAFKA_BROKERS }: KafkaSettings): boolean {
  if (KAFKA_TLS !== undefined) return KAFKA_TLS === 'true'
  if (KAFKA_SASL !== undefined || KAFKA_CA_FILE !== undefined) return true
  return KAFKA_BROKERS.some((broker) => TLS_PORTS.has(BROKER.exec(broker)?.groups?.['port'] ?? ''))
}

/** Files of secrets are read at each login: what renews them does not stop us. */
function authOf(settings: KafkaSettings): KafkaAuth {
  const { KAFKA_SASL, KAFKA_USERNAME = '', AWS_REGION = '' } = settings
  switch (KAFKA_SASL) {
    case undefined:
      return { kind: 'none' }
    case 'scram-sha-512':
    case 'scram-sha-256': {
      const hash = KAFKA_SASL === 'scram-sha-512' ? 'SHA-512' : 'SHA-256'
      const password = secret(settings.KAFKA_PASSWORD, 'KAFKA_PASSWORD_FILE', settings.KAFKA_PASSWORD_FILE)
      return { kind: 'scram', hash, username: KAFKA_USERNAME, password }
    }
    case 'oauthbearer':
      return {
        kind: 'oauthbearer',
        token: secret(settings.KAFKA_TOKEN, 'KAFKA_TOKEN_FILE', settings.KAFKA_TOKEN_FILE),
      }
    case 'aws-msk-iam':
      return { kind: 'aws-msk-iam', region: AWS_REGION }
  }
}

function secret(value: string | undefined, variable: string, file: string | undefined): () => Promise<string> {
  return async () => {
    if (value !== undefined || file === undefined) return value ?? ''
    try {
      return (await readFile(file, 'utf8')).trimEnd()
    } catch (error) {
      throw new SettingsError(`${variable}: ${(error as Error).message}`, { cause: error })
    }
  }
}

function certificates(file: string): string {
  try {
    const ca = readFileSync(file, 'utf8')
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return ca
  } catch (error) {
    throw new SettingsError(`KAFKA_CA_FILE: ${(error as Error).message}`, { cause: error })
  }
  throw new SettingsError(
    `KAFKA_CA_FILE: ${file} holds no certificate: it should have a line -----BEGIN CERTIFICATE-----`,
  )
}
