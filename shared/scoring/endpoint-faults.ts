/**
 * What can be wrong with a request to an endpoint, told by the name and the status of the error in this one place (Amazon
 * SageMaker API Reference, "InvokeEndpoint", Errors). Throttling arrives as HTTP 400 and is not in the service's model.
 */

/**
 * `throttled` and `notReady`: the endpoint is there, and wants to be asked again. `unreachable`: it is not there now. `late`: it
 * has not answered in time. `refused`: it would say no again. `model`: the container failed with these rows. `response`: it answered what is no answer to them.
 */
export type FaultKind = 'throttled' | 'notReady' | 'unreachable' | 'late' | 'refused' | 'model' | 'response'

/** A request to an endpoint that came to nothing. */
export class EndpointFault extends Error {
  override readonly name = 'EndpointFault'
  readonly kind: FaultKind

  constructor(kind: FaultKind, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.kind = kind
  }
}

const THROTTLES = new Set(['ThrottlingException', 'Throttling', 'TooManyRequestsException', 'RequestLimitExceeded'])

/** What the client has thrown, or a fault of ours as it is. */
export function endpointFault(thrown: unknown): EndpointFault {
  if (thrown instanceof EndpointFault) return thrown
  const error = thrown as { name?: string; message?: string; $metadata?: { httpStatusCode?: number } }
  return new EndpointFault(kindOf(error), `${error.name ?? 'Error'}: ${error.message ?? ''}`, { cause: thrown })
}

interface ServiceError {
  readonly name?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly OriginalStatusCode?: number
}

function kindOf({ name = '', $metadata, OriginalStatusCode: original }: ServiceError): FaultKind {
  const status = $metadata?.httpStatusCode
  if (name === 'ModelNotReadyException') return 'notReady'
  if (THROTTLES.has(name) || status === 429) return 'throttled'
  // The container itself has no worker free: with fewer requests at a time it will.
  if (name === 'ModelError' && (original === 429 || original === 503)) return 'throttled'
  if (name === 'ModelError' || status === 424) return 'model'
  if (name === 'CredentialsProviderError') return 'refused'
  if (name === 'AbortError' || name === 'TimeoutError') return 'late'
  // Without a status there was no answer: it could not be connected to, or the connection broke.
  return status !== undefined && status >= 400 && status < 500 ? 'refused' : 'unreachable'
}
