import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
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
export class EndpointServer {
  readonly url: string
  /** Rows of each request that was made, whatever it was answered. */
  readonly requests: (readonly string[])[] = []
  version = 'v1'
  isDown = false
  readonly #server: Server

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  /** Whoever starts it has to stop it. */
  static async start(model: Model, misbehaviour: Misbehaviour = {}, seed = 1): Promise<EndpointServer> {
    const random = new Random(seed)
    const server = createServer((request, response) => {
      answer(request, response, made, model, misbehaviour, random).catch((error: unknown) => {
        response.destroy(error as Error)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const made = new EndpointServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    return made
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  server: EndpointServer,
  model: Model,
  odds: Misbehaviour,
  random: Random,
): Promise<void> {
  const body = Buffer.concat(await request.toArray()).toString('utf8')
  const rows = body.split('\n')
  server.requests.push(rows)
  const happens = (share = 0): boolean => random.chance(share)
  if (server.isDown || happens(odds.closes)) {
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
  const predictions = model(rows)
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
    'x-amzn-sagemaker-custom-attributes': `model-version=${server.version}`,
  })
  response.end(`${said.join('\n')}\n`)
}

function fail(response: ServerResponse, status: number, name: string, message: string, more: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': name })
  response.end(JSON.stringify({ Message: message, ...more }))
}

function html(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' })
  response.end('<html><body>Something is wrong here</body></html>')
}
