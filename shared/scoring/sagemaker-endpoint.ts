import {
  InvokeEndpointCommand,
  SageMakerRuntimeClient,
  type SageMakerRuntimeClientConfig,
} from '@aws-sdk/client-sagemaker-runtime'
import type { Score } from '#shared/pipeline/score.ts'
import { MOST_REQUESTS } from './adaptive-concurrency.ts'
import { endpointFault } from './endpoint-faults.ts'

/** What an endpoint has answered. */
export interface EndpointAnswer {
  readonly body: Uint8Array
  readonly contentType: string
  readonly modelVersion: string | null
}

/** Asks an endpoint once. @throws EndpointFault */
export type InvokeEndpoint = (score: Score, body: string | Uint8Array, signal: AbortSignal) => Promise<EndpointAnswer>

/** A client that tries once: who retries has to know of all requests. Sockets are kept alive between calls. */
export function createSageMakerClient(config: SageMakerRuntimeClientConfig = {}): SageMakerRuntimeClient {
  const agent = { keepAlive: true, maxSockets: MOST_REQUESTS }
  return new SageMakerRuntimeClient({
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 3000, httpAgent: agent, httpsAgent: agent },
    ...config,
  })
}

export function endpointInvoker(client: SageMakerRuntimeClient): InvokeEndpoint {
  return async (score, body, signal) => {
    const { codec, variant, model, inferenceComponent } = score
    const command = new InvokeEndpointCommand({
      EndpointName: score.endpoint,
      Body: typeof body === 'string' ? Buffer.from(body) : body,
      ContentType: codec.contentType,
      Accept: codec.accept ?? codec.contentType,
      ...(variant === null ? {} : { TargetVariant: variant }),
      ...(model === null ? {} : { TargetModel: model }),
      ...(inferenceComponent === null ? {} : { InferenceComponentName: inferenceComponent }),
    })
    const deadline = new AbortController()
    const abort = (): void => deadline.abort()
    const timer = setTimeout(abort, score.timeoutMs)
    signal.addEventListener('abort', abort)
    try {
      const answer = await client.send(command, { abortSignal: deadline.signal })
      return { body: answer.Body, contentType: answer.ContentType ?? '', modelVersion: modelVersionIn(answer) }
    } catch (error) {
      throw endpointFault(error)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  }
}

interface Versioned {
  readonly CustomAttributes?: string | undefined
  readonly InvokedProductionVariant?: string | undefined
}

/** What the container says of its model, otherwise the variant that was asked. */
function modelVersionIn({
  CustomAttributes: attributes = '',
  InvokedProductionVariant: variant,
}: Versioned): string | null {
  return /(?:^|[,;\s])model-version=(?<version>[^,;\s]+)/.exec(attributes)?.groups?.['version'] ?? variant ?? null
}
