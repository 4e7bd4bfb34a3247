import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, type S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { createS3Client } from '#shared/lake/s3-store.ts'
import { VENV_TIMEOUT_MS, venvPython } from './venv.ts'

const VERSION = '1.5.33'
const READY_WITHIN_MS = 30_000
/** Ministack's root. It checks signatures and policies, as S3 does. */
const CREDENTIALS = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'a-secret-that-must-not-be-told' }

/** Long enough to make the virtual environment and start from it. */
export const START_TIMEOUT_MS = VENV_TIMEOUT_MS + READY_WITHIN_MS

/** A server with S3's protocol and rules, conditional writes and policies among them, on a port of its own. */
export class Ministack {
  readonly endpoint: string
  readonly #server: ChildProcess
  readonly #folder: string

  private constructor(endpoint: string, server: ChildProcess, folder: string) {
    this.endpoint = endpoint
    this.#server = server
    this.#folder = folder
  }

  /** Starts one; makes its virtual environment first where there is none. Whoever starts it has to stop it. */
  static async start(): Promise<Ministack> {
    const python = await venvPython(`ministack-${VERSION}`, [`ministack==${VERSION}`])
    const folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-ministack-'))
    const server = await launch(python, folder)
    try {
      return new Ministack(await readyEndpoint(server, path.join(folder, 'log')), server, folder)
    } catch (error) {
      await end(server, folder)
      throw error
    }
  }

  stop(): Promise<void> {
    return end(this.#server, this.#folder)
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

/** Runs ministack until its standard input ends: it never outlives us, however we come to our end. */
const RUN = `
import os, runpy, sys, threading
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
runpy.run_module('ministack', run_name='__main__')
`

async function launch(python: string, folder: string): Promise<ChildProcess> {
  const log = await open(path.join(folder, 'log'), 'w')
  const server = spawn(python, ['-c', RUN], {
    cwd: folder,
    // A session of its own: a Ctrl-C in the terminal is for the tests, which then stop it.
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      TMPDIR: folder,
      PYTHONUNBUFFERED: '1',
      BIND_HOST: '127.0.0.1',
      // The kernel chooses, so that nobody else can be given the same one.
      GATEWAY_PORT: '0',
      SERVICES: 's3,iam,sts',
      S3_PERSIST: '1',
      S3_DATA_DIR: path.join(folder, 's3'),
      STATE_DIR: path.join(folder, 'state'),
      SFTP_ENABLED: '0',
      DOCKER_HOST: `unix://${folder}/none`,
      AUTH: 'true',
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
  })
  await once(server, 'spawn')
  await log.close()
  return server
}

async function readyEndpoint(server: ChildProcess, log: string): Promise<string> {
  for (let waited = 0; waited < READY_WITHIN_MS && server.exitCode === null; waited += 50) {
    const endpoint = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(await readFile(log, 'utf8'))?.[1]
    if (endpoint !== undefined) return endpoint
    await sleep(50)
  }
  const said = (await readFile(log, 'utf8')).slice(-2000)
  const state = server.exitCode === null ? 'is not ready' : `ended with code ${server.exitCode}`
  throw new Error(`ministack ${state}. It said:\n${said}`)
}

async function end(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const exited = once(server, 'exit')
    server.kill('SIGTERM')
    const force = setTimeout(() => server.kill('SIGKILL'), 5000)
    await exited
    clearTimeout(force)
  }
  await rm(folder, { recursive: true, force: true })
}
