import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What is asked of a consumer from outside. */
export interface ServedState {
  /** Whether its loop still turns. */
  readonly isAlive: () => boolean
  /** Whether it does its work; while it waits for something to heal, it is alive and not ready. */
  readonly isReady: () => boolean
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

/** Answers `/healthz`, `/readyz` and `/metrics`. */
export class StateServer {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** @param port 0 for one that is free */
  static async listen(state: ServedState, host: string, port: number): Promise<StateServer> {
    const server = createServer((request, response) => {
      const answer = (status: number, text: string, contentType = 'text/plain; charset=utf-8'): void => {
        response.writeHead(status, { 'content-type': contentType }).end(text)
      }
      const yesOrNo = (isSo: boolean): void => answer(isSo ? 200 : 503, isSo ? 'yes\n' : 'no\n')
      if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, 'only GET\n')
      else if (request.url === '/healthz') yesOrNo(state.isAlive())
      else if (request.url === '/readyz') yesOrNo(state.isReady())
      else if (request.url === '/metrics')
        state.metrics().then(
          ({ text, contentType }) => answer(200, text, contentType),
          (error: unknown) => answer(500, `${String(error)}\n`),
        )
      else answer(404, 'there are /healthz, /readyz and /metrics\n')
    })
    server.listen(port, host)
    await once(server, 'listening')
    return new StateServer(server)
  }

  /** `http://127.0.0.1:40123` */
  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
