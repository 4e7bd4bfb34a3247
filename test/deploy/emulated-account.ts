import { readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { projectRoot } from '#test/helpers/command.ts'
import { KAFKA_TIMEOUT_MS, KafkaBroker } from '#test/helpers/kafka-broker.ts'
import { CREDENTIALS, ministackPython } from '#test/helpers/ministack.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'
import { PythonServer } from '#test/helpers/python-server.ts'

const RUN = path.join(import.meta.dirname, 'ministack-server.py')
const REGION = 'us-east-1'

/** Long enough to fetch all of it, and to start it. */
export const ACCOUNT_TIMEOUT_MS = KAFKA_TIMEOUT_MS + 2 * START_TIMEOUT_MS

interface Server {
  stop(): Promise<void>
}

/**
 * An account of AWS's on this machine: ministack, over TLS, where a function may do what its role allows and nothing else;
 * moto for the API of MSK; and Apache Kafka for the brokers.
 */
export class EmulatedAccount {
  readonly kafka: KafkaBroker
  /** The endpoint of MSK's API. */
  readonly msk: string
  readonly #endpoint: string
  readonly #certificate: string
  readonly #servers: readonly Server[]

  private constructor(kafka: KafkaBroker, moto: Moto, ministack: PythonServer) {
    this.kafka = kafka
    this.msk = moto.endpoint
    this.#endpoint = ministack.endpoint
    this.#certificate = path.join(ministack.folder, 'ministack-tls/server.crt')
    this.#servers = [ministack, moto, kafka]
  }

  /** Whoever starts it has to stop it. @throws Error naming what is missing on the machine */
  static async start(): Promise<EmulatedAccount> {
    const started: Server[] = []
    try {
      const python = await ministackPython()
      const kafka = await KafkaBroker.start()
      started.push(kafka)
      const moto = await Moto.start({ BROKERS: kafka.brokers })
      started.push(moto)
      return new EmulatedAccount(kafka, moto, await PythonServer.start(python, [RUN], ministackSettings(moto)))
    } catch (error) {
      await Promise.all(started.map((server) => server.stop()))
      throw error
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()))
  }

  /** What a command needs in its environment to use the account, as its root. */
  get environment(): Readonly<Record<string, string>> {
    return {
      AWS_ENDPOINT_URL: this.#endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      NODE_EXTRA_CA_CERTS: this.#certificate,
    }
  }

  /** The same for a client of AWS's. */
  get client() {
    const httpsAgent = { ca: readFileSync(this.#certificate, 'utf8') }
    return { endpoint: this.#endpoint, region: REGION, credentials: CREDENTIALS, requestHandler: { httpsAgent } }
  }
}

/** Functions have them too: they find MSK where it is, and this project's Node. */
function ministackSettings(moto: Moto): Record<string, string> {
  return {
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    USE_SSL: '1',
    AUTH: 'true',
    S3_PERSIST: '1',
    SFTP_ENABLED: '0',
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_KAFKA: moto.endpoint,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    PATH: `${path.join(projectRoot, 'node_modules/.bin')}${path.delimiter}${process.env['PATH']}`,
  }
}
