import { CreateBucketCommand, type S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { createS3Client } from '#shared/lake/s3-store.ts'
import { PythonServer, READY_WITHIN_MS } from './python-server.ts'
import { VENV_TIMEOUT_MS, venvPython } from './venv.ts'

const VERSION = '1.5.33'
/** Ministack's root. It checks signatures and policies, as S3 does. */
export const CREDENTIALS = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'a-secret-that-must-not-be-told' }

/** Runs ministack until its standard input ends, with its data in the folder in which it is started. */
const RUN = `
import os, runpy, sys, threading
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
folder = os.getcwd()
os.environ.update(S3_DATA_DIR=folder + '/s3', STATE_DIR=folder + '/state', DOCKER_HOST='unix://' + folder + '/none')
runpy.run_module('ministack', run_name='__main__')
`

const ENVIRONMENT = {
  BIND_HOST: '127.0.0.1',
  // The kernel chooses, so that nobody else can be given the same one.
  GATEWAY_PORT: '0',
  SERVICES: 's3,iam,sts',
  S3_PERSIST: '1',
  SFTP_ENABLED: '0',
  AUTH: 'true',
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
}

/** Long enough to make the virtual environment and start from it. */
export const START_TIMEOUT_MS = VENV_TIMEOUT_MS + READY_WITHIN_MS

/** The Python that has ministack; its virtual environment is made first where there is none. */
export function ministackPython(): Promise<string> {
  return venvPython(`ministack-${VERSION}`, [`ministack==${VERSION}`])
}

/** A server with S3's protocol and rules, conditional writes and policies among them, on a port of its own. */
export class Ministack {
  readonly #server: PythonServer

  private constructor(server: PythonServer) {
    this.#server = server
  }

  /** Starts one; makes its virtual environment first where there is none. Whoever starts it has to stop it. */
  static async start(): Promise<Ministack> {
    return new Ministack(await PythonServer.start(await ministackPython(), ['-c', RUN], ENVIRONMENT))
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  get endpoint(): string {
    return this.#server.endpoint
  }

  async createBucket(bucket: string): Promise<void> {
    await this.client().send(new CreateBucketCommand({ Bucket: bucket }))
  }

  /** The client that production uses, as root. */
  client(config: S3ClientConfig = {}): S3Client {
    return createS3Client({ endpoint: this.endpoint, region: 'us-east-1', credentials: CREDENTIALS, ...config })
  }

  /** What a process needs in its environment to use this server. */
  environment(endpoint = this.endpoint): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    }
  }
}
