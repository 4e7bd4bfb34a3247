import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { ResourceAnswer } from '#shared/runtimes/custom-resource.ts'
import { LoopbackServer } from './loopback-server.ts'

/** What was put at the URL. */
export interface PutRequest {
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What becomes of a put: a status, or a connection that is cut. */
export type PutFate = number | 'cut'

/** The object of S3 that a custom resource answers to. */
export class CloudFormationAnswers extends LoopbackServer {
  readonly requests: PutRequest[] = []
  readonly #fates: PutFate[] = []

  static start(): Promise<CloudFormationAnswers> {
    return new CloudFormationAnswers().listen()
  }

  get url(): string {
    return `${this.endpoint}/answer?Signature=secret`
  }

  protected override async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
