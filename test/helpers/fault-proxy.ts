import { once } from 'node:events'
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './simulation/random.ts'

/** What can happen to a request between client and S3, and to its answer. */
export type Fault =
  /** 503, without having done anything. */
  | 'slowDown'
  /** 500, without having done anything; and after having done it. */
  | 'internalError'
  | 'internalErrorAfter'
  /** 409: another conditional write is under way. */
  | 'conflict'
  /** The connection breaks before the request arrives; after it was done, before the answer arrives. */
  | 'closeBefore'
  | 'closeAfter'
  /** It arrives late, and so does its answer. */
  | 'late'
  /** The answer breaks off in its midst; one of its bytes is another. */
  | 'breakOff'
  | 'corrupt'
  /** A list gives fewer keys than it was asked for, says that there are more, and writes a space as "+", as S3 may. */
  | 'shortPage'
  /** Nothing is ever answered; the answer begins and never ends. */
  | 'freeze'
  | 'freezeMidway'

/** Decides what happens to a request, and may hold it until something else has happened. */
export type Plan = (request: IncomingMessage) => Fault | undefined | Promise<Fault | undefined>

/** A proxy on loopback that passes requests on to a server, and does to them what a plan says. */
export class FaultProxy {
  /** Requests and connections that came, the most connections at a time, and how often each fault happened. */
  requests = 0
  connections = 0
  mostConnections = 0
  readonly faults = new Map<Fault, number>()
  /** May be replaced at any time. */
  plan: Plan = () => undefined
  readonly #open = new Set<Socket>()
  readonly #upstream: URL
  readonly #agent = new http.Agent({ keepAlive: true })
  readonly #server = http.createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy())
  })

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream)
    this.#server.on('connection', (socket) => {
      this.connections += 1
      this.#open.add(socket)
      this.mostConnections = Math.max(this.mostConnections, this.#open.size)
      socket.on('close', () => this.#open.delete(socket))
    })
  }

  /** Whoever starts it has to close it. */
  static async start(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1
    const fault = await this.plan(request)
    if (fault !== undefined) this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
    const body = await bytesOf(request)
    switch (fault) {
      case 'slowDown':
        return refuse(response, 503, 'SlowDown', 'Please reduce your request rate.')
      case 'internalError':
        return refuse(response, 500, 'InternalError', 'We encountered an internal error. Please try again.')
      case 'conflict':
        return refuse(response, 409, 'ConditionalRequestConflict', 'Cannot complete the request: another is under way.')
      case 'closeBefore':
        response.destroy()
        return
      case 'freeze':
        return
      default:
    }
    if (fault === 'late') await sleep(LATE_MS)
    const { status, headers, body: passed } = await this.#pass(request, fault, body)
    let answer = passed
    switch (fault) {
      case 'internalErrorAfter':
        return refuse(response, 500, 'InternalError', 'We encountered an internal error. Please try again.')
      case 'closeAfter':
        response.destroy()
        return
      case 'late':
        await sleep(LATE_MS)
        break
      case 'corrupt':
        if (answer.length > 0) answer[answer.length >> 1] = (answer[answer.length >> 1] ?? 0) ^ 1
        break
      case 'shortPage':
        delete headers['content-length']
        answer = Buffer.from(answer.toString().replaceAll('%20', '+'))
        break
      default:
    }
    response.writeHead(status, headers)
    if (fault !== 'breakOff' && fault !== 'freezeMidway') {
      response.end(answer)
      return
    }
    response.write(answer.subarray(0, answer.length >> 1), () => {
      if (fault === 'breakOff') response.destroy()
    })
  }

  #pass({ method, url = '', headers }: IncomingMessage, fault: Fault | undefined, body: Buffer): Promise<Answer> {
    const path =
      fault === 'shortPage' ? url.replace(/max-keys=(\d+)/, (_, most) => `max-keys=${Math.min(2, +most)}`) : url
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#upstream
      const options = { agent: this.#agent, hostname, port, method, path, headers }
      const passed = http.request(options, (answer) => {
        bytesOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: bytes }),
          reject,
        )
      })
      passed.on('error', reject)
      passed.end(body)
    })
  }
}

interface Answer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

const LATE_MS = 30

/** Any fault that a request of its kind can meet, at a rate; conditional writes, where most depends on it, more often. */
export function seededFaults(random: Random, rate: number): Plan {
  const any: readonly Fault[] = ['slowDown', 'internalError', 'closeBefore', 'closeAfter', 'late']
  const conditional: readonly Fault[] = [...any, 'internalErrorAfter', 'conflict', 'conflict', 'conflict']
  return ({ method, headers }) => {
    const isConditional = headers['if-none-match'] === '*'
    if (!random.chance(isConditional ? 4 * rate : rate)) return undefined
    if (isConditional) return random.pick(conditional)
    return random.pick(method === 'GET' ? [...any, 'breakOff', 'corrupt'] : any)
  }
}

/** These faults for the next requests, and none behind them. */
export function faultsInTurn(...faults: readonly (Fault | undefined)[]): Plan {
  const left = [...faults]
  return () => left.shift()
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'REQUEST1' })
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  )
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
