import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { LoopbackServer } from './loopback-server.ts'

/** What a call is answered: status, body, and the name of the error where it is one. */
export type ApiAnswer = readonly [status: number, body: object, error?: string]

/** A part of an API of AWS that talks JSON, as real HTTP on this machine. */
export abstract class LoopbackApi extends LoopbackServer {
  /** What the next request is refused with: status, name of the error. */
  refusal: { readonly status: number; readonly error: string } | null = null

  protected abstract answer(method: string, url: string, body: string): ApiAnswer

  /** What a client of AWS has to know to call it. */
  get access() {
    const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' }
    return { endpoint: this.endpoint, region: 'us-east-1', credentials }
  }

  protected override async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const [status, answer, error] = this.#refused() ?? this.answer(request.method ?? '', request.url ?? '', body)
    if (error !== undefined) response.setHeader('x-amzn-errortype', error)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  #refused(): ApiAnswer | undefined {
    const { refusal } = this
    this.refusal = null
    return refusal === null ? undefined : [refusal.status, { message: 'refused' }, refusal.error]
  }
}
