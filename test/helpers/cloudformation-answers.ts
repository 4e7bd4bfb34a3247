import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { ResourceAnswer } from '#shared/runtimes/custom-resource.ts'

/** What was put at the URL. */
export interface PutRequest {
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What becomes of a put: a status, or a connection that is cut. */
export type PutFate = number | 'cut'

/** The object of S3 that a custom resource answers to, on a port of its own. Whoever starts it has to stop it. */
export class CloudFormationAnswers {
  readonly requests: PutRequest[] = []
  readonly #server: Server
  readonly #fates: PutFate[] = []

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#take(request, response)
    })
  }

  static async start(): Promise<CloudFormationAnswers> {
    const answers = new CloudFormationAnswers()
    answers.#server.listen(0, '127.0.0.1')
    await once(answers.#server, 'listening')
    return answers
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/answer?Signature=secret`
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push({ method: request.method, headers: request.headers, body: await text(request) })
    const fate = this.#fates.shift() ?? 200
    if (fate === 'cut') request.socket.destroy()
    else response.writeHead(fate).end()
  }

  /** What becomes of the next puts; those behind work. */
  expect(...fates: readonly PutFate[]): void {
    this.#fates.push(...fates)
  }

  /** The last answer that was put. */
  get answer(): ResourceAnswer {
    return JSON.parse(this.requests.at(-1)?.body ?? '{}') as ResourceAnswer
  }

  /** A request of CloudFormation's that is answered here. */
  request(type: 'Create' | 'Update' | 'Delete', properties: unknown, physicalId?: string): Record<string, unknown> {
    return {
      RequestType: type,
      ResponseURL: this.url,
      StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/inlet-dev/1',
      RequestId: `request-${this.requests.length}`,
      ResourceType: 'Custom::KafkaTopic',
      LogicalResourceId: 'FlightsTopic',
      ...(physicalId !== undefined && { PhysicalResourceId: physicalId }),
      ResourceProperties: properties,
    }
  }
}
