import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { EMRServerlessClient } from '@aws-sdk/client-emr-serverless'
import { createEmrServerlessClient } from '#shared/jobs/job-clients.ts'

const PATH = /^\/applications\/(?<application>[^/]+)\/jobruns(?:\/(?<run>[^/?]+))?$/

/** A run as the service keeps it. */
export interface EmrServerlessRun {
  readonly id: string
  readonly application: string
  readonly token: string
  /** As it was asked for. */
  readonly request: Readonly<Record<string, unknown>>
  state: string
}

/**
 * The part of EMR Serverless' API that starts and shows runs, as real HTTP on a port of its own (API reference, "StartJobRun",
 * "GetJobRun"): a start with the token of a run that there is answers with that run. Whoever starts it has to stop it.
 */
export class EmrServerlessApi {
  readonly runs: EmrServerlessRun[] = []
  /** What the next request is refused with: status, name of the error. */
  refusal: { readonly status: number; readonly error: string } | null = null
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request, response)
    })
  }

  static async start(): Promise<EmrServerlessApi> {
    const api = new EmrServerlessApi()
    api.#server.listen(0, '127.0.0.1')
    await once(api.#server, 'listening')
    return api
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** The client that production uses. */
  client(): EMRServerlessClient {
    const endpoint = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' }
    return createEmrServerlessClient({ endpoint, region: 'us-east-1', credentials })
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, answer, error] = this.#answer(request.method ?? '', request.url ?? '', await text(request))
    if (error !== undefined) response.setHeader('x-amzn-errortype', error)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  #answer(method: string, url: string, body: string): [number, object, string?] {
    const { refusal } = this
    this.refusal = null
    if (refusal !== null) return [refusal.status, { message: 'refused' }, refusal.error]
    const { application, run: id } = PATH.exec(url)?.groups ?? {}
    if (application === undefined) return [404, { message: 'no such operation' }, 'ResourceNotFoundException']
    if (method === 'POST' && id === undefined) return this.#start(application, JSON.parse(body))
    const run = this.runs.find((each) => each.id === id && each.application === application)
    if (run === undefined) return [404, { message: 'no such run' }, 'ResourceNotFoundException']
    const { state } = run
    return [200, { jobRun: { applicationId: application, jobRunId: run.id, state, stateDetails: '', ...ALWAYS } }]
  }

  #start(application: string, request: Readonly<Record<string, unknown>>): [number, object, string?] {
    const token = request['clientToken']
    if (typeof token !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(token))
      return [400, { message: 'clientToken' }, 'ValidationException']
    const known = this.runs.find((run) => run.token === token && run.application === application)
    const run = known ?? { id: `run${this.runs.length}`, application, token, request, state: 'SUBMITTED' }
    if (known === undefined) this.runs.push(run)
    return [200, { applicationId: application, jobRunId: run.id, arn: `arn:${run.id}` }]
  }
}

/** What every run has, and nobody asks for here. */
const ALWAYS = {
  arn: 'arn',
  createdBy: 'test',
  createdAt: 0,
  updatedAt: 0,
  executionRole: 'r',
  releaseLabel: 'emr-7.10.0',
  jobDriver: {},
}
