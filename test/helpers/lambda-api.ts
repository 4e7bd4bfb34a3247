import { type ApiAnswer, LoopbackApi } from './loopback-api.ts'

/** How many times a trigger is looked at before a change has taken place. */
const LOOKS = 2
const PATH = /^\/2015-03-31\/event-source-mappings\/?(?<id>[^/?]*)/

interface Mapping {
  UUID: string
  State: string
  Topics: string[]
  looks: number
}

/** The part of Lambda's API that is about triggers. */
export class LambdaApi extends LoopbackApi {
  readonly functions = new Map<string, Mapping[]>()
  /** What was asked, in order: `PUT id {"Enabled":false}`. */
  readonly changes: string[] = []
  /** Changes that are refused because another one is under way. */
  busy = 0

  static start(): Promise<LambdaApi> {
    return new LambdaApi().listen()
  }

  add(name: string, id: string, State: string): Mapping {
    const mapping = { UUID: id, State, Topics: ['flights'], looks: 0 }
    this.functions.set(name, [...(this.functions.get(name) ?? []), mapping])
    return mapping
  }

  protected override answer(method: string, url: string, body: string): ApiAnswer {
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
  #list(query: URLSearchParams): ApiAnswer {
    const found = this.functions.get(query.get('FunctionName') ?? '')
    if (found === undefined) return [404, { message: 'Function not found' }, 'ResourceNotFoundException']
    const from = Number(query.get('Marker') ?? 0)
    const next = from + 1 < found.length ? { NextMarker: String(from + 1) } : {}
    return [200, { EventSourceMappings: found.slice(from, from + 1), ...next }]
  }
}
