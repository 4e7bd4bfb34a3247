import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopbackServer } from './loopback-server.ts'
import { Random } from './simulation/random.ts'

/** What an endpoint's container says to the rows of a request: a prediction each, or `'fails'` when one of them is too much for it. */
export type Model = (rows: readonly string[]) => readonly string[] | 'fails'

/** How often, of all requests, each thing goes wrong: shares of 1. */
export interface Misbehaviour {
  readonly throttles?: number
  /** Answers after `sleepMs`. */
  readonly sleeps?: number
  readonly sleepMs?: number
  /** Closes the connection without an answer. */
  readonly closes?: number
  /** Leaves out the last prediction. */
  readonly oneLess?: number
  readonly nan?: number
  readonly html?: number
  readonly unavailable?: number
  readonly notReady?: number
  readonly badGateway?: number
}

/**
 * What SageMaker's runtime answers to `POST /endpoints/<name>/invocations`, over HTTP, with a function for the model. CSV in and
 * out. Errors have the names, statuses and headers that the service gives them.
 */
export class EndpointServer extends LoopbackServer {
  /** Rows of each request that was made, whatever it was answered. */
  readonly requests: (readonly string[])[] = []
  version = 'v1'
  isDown = false
  readonly #model: Model
  readonly #misbehaviour: Misbehaviour
  readonly #random: Random

  private constructor(model: Model, misbehaviour: Misbehaviour, seed: number) {
    super()
    this.#model = model
    this.#misbehaviour = misbehaviour
    this.#random = new Random(seed)
  }

  static start(model: Model, misbehaviour: Misbehaviour = {}, seed = 1): Promise<EndpointServer> {
    return new EndpointServer(model, misbehaviour, seed).listen()
  }

  protected override async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const odds = this.#misbehaviour
    const body = Buffer.concat(await request.toArray()).toString('utf8')
    const rows = body.split('\n')
    this.requests.push(rows)
    const happens = (share = 0): boolean => this.#random.chance(share)
    if (this.isDown || happens(odds.closes)) {
      request.socket.destroy()
      return
    }
    if (!/^\/endpoints\/[^/]+\/invocations$/.test(request.url ?? '') || request.method !== 'POST')
      return fail(response, 400, 'ValidationError', `no such call: ${request.method} ${request.url}`)
    if (happens(odds.throttles)) return fail(response, 400, 'ThrottlingException', 'Rate exceeded')
    if (happens(odds.notReady)) return fail(response, 429, 'ModelNotReadyException', 'still loading')
    if (happens(odds.unavailable)) return fail(response, 503, 'ServiceUnavailable', 'try again')
    if (happens(odds.badGateway)) return html(response, 502)
    if (happens(odds.html)) return html(response, 200)
    if (happens(odds.sleeps)) await sleep(odds.sleepMs ?? 100, undefined, { ref: false })
    const predictions = this.#model(rows)
    if (predictions === 'fails') {
      const original = { OriginalStatusCode: 500, OriginalMessage: 'poison', LogStreamArn: 'arn' }
      return fail(response, 424, 'ModelError', 'Received server error (500) from primary', original)
    }
    const said = [...predictions]
    if (happens(odds.oneLess)) said.pop()
    if (happens(odds.nan)) said[0] = 'NaN'
    response.writeHead(200, {
      'content-type': 'text/csv',
      'x-amzn-invoked-production-variant': 'AllTraffic',
      'x-amzn-sagemaker-custom-attributes': `model-version=${this.version}`,
    })
    response.end(`${said.join('\n')}\n`)
  }
}

function fail(response: ServerResponse, status: number, name: string, message: string, more: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': name })
  response.end(JSON.stringify({ Message: message, ...more }))
}

function html(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' })
  response.end('<html><body>Something is wrong here</body></html>')
}
