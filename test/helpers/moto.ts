import path from 'node:path'
import type { EMRClient, EMRClientConfig } from '@aws-sdk/client-emr'
import type { GlueClient, GlueClientConfig } from '@aws-sdk/client-glue'
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import type { S3TablesClient, S3TablesClientConfig } from '@aws-sdk/client-s3tables'
import { createEmrClient, createGlueJobsClient } from '#shared/jobs/job-clients.ts'
import { createGlueClient, createS3TablesClient } from '#shared/lake/catalog-clients.ts'
import { createS3Client } from '#shared/lake/s3-store.ts'
import { PythonServer, READY_WITHIN_MS } from './python-server.ts'
import { VENV_TIMEOUT_MS, venvPython } from './venv.ts'

const VERSION = '5.2.5'
const RUN = path.join(import.meta.dirname, 'moto-server.py')
const ACCOUNT = { region: 'us-east-1', credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' } }

/** Long enough to make the virtual environment and start from it. */
export const START_TIMEOUT_MS = VENV_TIMEOUT_MS + READY_WITHIN_MS

/** A server with the protocols of Glue's Data Catalog, S3 Tables and S3, on a port of its own. */
export class Moto {
  readonly #server: PythonServer

  private constructor(server: PythonServer) {
    this.#server = server
  }

  /**
   * Starts one; makes its virtual environment first where there is none. Whoever starts it has to stop it.
   * @param environment what its script asks for (see moto-server.py)
   */
  static async start(environment: Record<string, string> = {}): Promise<Moto> {
    const python = await venvPython(`moto-${VERSION}`, [`moto[server]==${VERSION}`])
    return new Moto(await PythonServer.start(python, [RUN], environment))
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  get endpoint(): string {
    return this.#server.endpoint
  }

  async createBucket(bucket: string): Promise<void> {
    await this.s3().send(new CreateBucketCommand({ Bucket: bucket }))
  }

  /** The clients that production uses. */
  glue(config: GlueClientConfig = {}): GlueClient {
    return createGlueClient({ endpoint: this.endpoint, ...ACCOUNT, ...config })
  }

  /** One that sends no request twice. */
  glueJobs(): GlueClient {
    return createGlueJobsClient({ endpoint: this.endpoint, ...ACCOUNT })
  }

  emr(config: EMRClientConfig = {}): EMRClient {
    return createEmrClient({ endpoint: this.endpoint, ...ACCOUNT, ...config })
  }

  /** From now on what is of a kind changes its state by itself only after it was looked at so often: `glue::job_run`. */
  async changeStates(kind: string, looks: number): Promise<void> {
    const body = JSON.stringify({ model_name: kind, transition: { progression: 'manual', times: looks } })
    const response = await fetch(`${this.endpoint}/moto-api/state-manager/set-transition`, { method: 'POST', body })
    if (!response.ok) throw new Error(`moto answers ${response.status}`)
  }

  s3Tables(config: S3TablesClientConfig = {}): S3TablesClient {
    return createS3TablesClient({ endpoint: this.endpoint, ...ACCOUNT, ...config })
  }

  s3(): S3Client {
    return createS3Client({ endpoint: this.endpoint, ...ACCOUNT })
  }

  /** The server, and who it is told one is, as pyiceberg's properties. */
  pyicebergProperties(): Record<string, string> {
    const properties = (of: string): Record<string, string> => ({
      [`${of}.endpoint`]: this.endpoint,
      [`${of}.region`]: ACCOUNT.region,
      [`${of}.access-key-id`]: ACCOUNT.credentials.accessKeyId,
      [`${of}.secret-access-key`]: ACCOUNT.credentials.secretAccessKey,
    })
    return { ...properties('glue'), ...properties('s3') }
  }
}
