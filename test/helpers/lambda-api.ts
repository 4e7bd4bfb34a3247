import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** How many times a trigger is looked at before a change has taken place. */
const LOOKS = 2
const PATH = /^\/2015-03-31\/event-source-mappings\/?(?<id>[^/?]*)/

interface Mapping {
  UUID: string
  State: string
  Topics: string[]
  looks: number
}

/** The part of Lambda's API that is about triggers, as real HTTP on a port of its own. Whoever starts it has to stop it. */
export class LambdaApi {
  readonly functions = new Map<string, Mapping[]>()
  /** What was asked, in order: `PUT id {"Enabled":false}`. */
  readonly changes: string[] = []
  /** What the next request is refused with: status, name of the error. */
  refusal: { status: number; error: string } | null = null
  /** Changes that are refused because another one is under way. */
  busy = 0
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request, response)
    })
  }

  static async start(): Promise<LambdaApi> {
    const api = new LambdaApi()
    api.#server.listen(0, '127.0.0.1')
    await once(api.#server, 'listening')
    return api
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  add(name: string, id: string, State: string): Mapping {
    const mapping = { UUID: id, State, Topics: ['flights'], looks: 0 }
    this.functions.set(name, [...(this.functions.get(name) ?? []), mapping])
    return mapping
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, answer, error] = this.#answer(request.method ?? '', request.url ?? '', await text(request))
    if (error !== undefined) response.setHeader('x-amzn-errortype', error)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  #answer(method: string, url: string, body: string): [number, unknown, string?] {
    const { refusal } = this
    this.refusal = null
    if (refusal !== null) return [refusal.status, { message: 'refused' }, refusal.error]
    const id = PATH.exec(url)?.groups?.['id'] ?? ''
    if (id === '') return this.#list(new URL(url, 'http://api').searchParams)
    const mapping = [...this.functions.values()].flat().find(({ UUID }) => UUID === id)
    if (mapping === undefined) return [404, { message: 'no such trigger' }, 'ResourceNotFoundException']
    if (method === 'PUT') {
      this.changes.push(`${id} ${body}`)
      if (this.busy-- > 0) return [409, { message: 'being changed' }, 'ResourceInUseException']
      mapping.State = (JSON.parse(body) as { Enabled: boolean }).Enabled ? 'Enabling' : 'Disabling'
      mapping.looks = LOOKS
    } else if (mapping.looks > 0 && --mapping.looks === 0) {
      mapping.State =
        { Enabling: 'Enabled', Disabling: 'Disabled', Updating: 'Enabled' }[mapping.State] ?? mapping.State
    }
    return [200, mapping]
  }

  /** One trigger a page. */
  #list(query: URLSearchParams): [number, unknown, string?] {
    const found = this.functions.get(query.get('FunctionName') ?? '')
    if (found === undefined) return [404, { message: 'Function not found' }, 'ResourceNotFoundException']
    const from = Number(query.get('Marker') ?? 0)
    const next = from + 1 < found.length ? { NextMarker: String(from + 1) } : {}
    return [200, { EventSourceMappings: found.slice(from, from + 1), ...next }]
  }
}
