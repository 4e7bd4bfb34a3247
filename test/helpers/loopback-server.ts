import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An HTTP server on this machine, on a port of its own. Whoever starts it has to stop it. */
export abstract class LoopbackServer {
  readonly #server = createServer((request, response) => {
    this.take(request, response).catch((error: unknown) => response.destroy(error as Error))
  })

  /** Takes a request; when it rejects, the connection is closed without an answer. */
  protected abstract take(request: IncomingMessage, response: ServerResponse): Promise<void>

  protected async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** `http://host:port` */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
}
