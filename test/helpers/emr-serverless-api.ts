import type { EMRServerlessClient } from '@aws-sdk/client-emr-serverless'
import { createEmrServerlessClient } from '#shared/jobs/job-clients.ts'
import { type ApiAnswer, LoopbackApi } from './loopback-api.ts'

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
 * The part of EMR Serverless' API that starts and shows runs (API reference, "StartJobRun", "GetJobRun"): a start with the token
 * of a run that there is answers with that run.
 */
export class EmrServerlessApi extends LoopbackApi {
  readonly runs: EmrServerlessRun[] = []

  static start(): Promise<EmrServerlessApi> {
    return new EmrServerlessApi().listen()
  }

  /** The client that production uses. */
  client(): EMRServerlessClient {
    return createEmrServerlessClient(this.access)
  }

  protected override answer(method: string, url: string, body: string): ApiAnswer {
    const { application, run: id } = PATH.exec(url)?.groups ?? {}
    if (application === undefined) return [404, { message: 'no such operation' }, 'ResourceNotFoundException']
    if (method === 'POST' && id === undefined) return this.#start(application, JSON.parse(body))
    const run = this.runs.find((each) => each.id === id && each.application === application)
    if (run === undefined) return [404, { message: 'no such run' }, 'ResourceNotFoundException']
    const { state } = run
    return [200, { jobRun: { applicationId: application, jobRunId: run.id, state, stateDetails: '', ...ALWAYS } }]
  }

  #start(application: string, request: Readonly<Record<string, unknown>>): ApiAnswer {
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
