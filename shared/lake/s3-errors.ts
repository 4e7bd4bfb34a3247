import { type ErrorCode, InletError } from '#shared/pipeline/errors.ts'

/** What S3 says of a request that may work when it is made again, under a status that says otherwise. */
const TRANSIENT = new Set([
  // The client or the network was too slow, or spoiled the bytes.
  'RequestTimeout',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  // Of KMS, behind an encrypted bucket.
  'ThrottlingException',
  // Whoever hands out temporary credentials replaces them.
  'ExpiredToken',
  'ExpiredTokenException',
  'TokenRefreshRequired',
])

/** Faults before any request: the client does not know as whom, or where, to send it. */
const UNCONFIGURED = /^(CredentialsProviderError|TokenProviderError)$|^Region is missing|Could not resolve credentials/

/**
 * The one place where faults of S3, of its client and of the network become errors of the store.
 *
 * The original error is not kept as the cause: S3 answers a wrong signature or session token with that very token, the
 * client makes each element of an answer a property of its error, and loggers print properties.
 * @param cannot what was tried, with bucket and key
 */
export function s3Error(error: unknown, cannot: string): InletError {
  const { name, message, code } = describe(error)
  const { requestId } = metadataOf(error)
  const status = statusOf(error)
  const said = [name, status === undefined ? '' : `(${status})`].filter((part) => part !== '').join(' ')
  const reason = [said, message].filter((part) => part !== '').join(': ') || code || 'no reason given'
  const isDenied = status === 403 && (name === 'AccessDenied' || name === '')
  const hint = isDenied && cannot.startsWith('cannot read') ? HIDDEN : ''
  const request = typeof requestId === 'string' ? ` [request ${requestId}]` : ''
  return new InletError(codeOf(name, message, status), `${cannot}: ${reason}${hint}${request}`)
}

const HIDDEN = ' (without the permission s3:ListBucket, S3 says so of a key that is not there, too)'

/** Whether S3 said that there is no such object. A bucket that is not there is another matter. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && ['NoSuchKey', 'NotFound'].includes(describe(error).name)
}

/** HTTP status of the answer; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  const { httpStatusCode } = metadataOf(error)
  return typeof httpStatusCode === 'number' ? httpStatusCode : undefined
}

function codeOf(name: string, message: string, status: number | undefined): ErrorCode {
  if (TRANSIENT.has(name)) return 'STORE_UNAVAILABLE'
  if (UNCONFIGURED.test(name) || UNCONFIGURED.test(message)) return 'STORE_DENIED'
  // No answer at all (refused, reset, timed out, not resolved), or one that could not be read.
  if (status === undefined || status < 300) return 'STORE_UNAVAILABLE'
  // 501: it does not know what was asked, as If-None-Match, and never will.
  if ((status >= 500 && status !== 501) || [408, 409, 429].includes(status)) return 'STORE_UNAVAILABLE'
  return 'STORE_DENIED'
}

/** By its properties, for an error of another realm is no `Error` of ours. */
function describe(error: unknown): { readonly name: string; readonly message: string; readonly code: string } {
  if (typeof error !== 'object' || error === null) return { name: '', message: String(error), code: '' }
  const text = (property: string): string => {
    const value: unknown = Reflect.get(error, property)
    return typeof value === 'string' ? value : ''
  }
  // The client puts advice for its own users on further lines.
  const [message = ''] = text('message').split('\n')
  const name = text('name')
  return {
    // "Unknown" is what the client makes of an answer without a body: one to HEAD.
    name: ['Error', 'AggregateError', 'Unknown'].includes(name) ? '' : name,
    message: message === 'UnknownError' || message === name ? '' : message,
    code: text('code'),
  }
}

function metadataOf(error: unknown): { readonly httpStatusCode?: unknown; readonly requestId?: unknown } {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return {}
  return typeof error.$metadata === 'object' && error.$metadata !== null ? error.$metadata : {}
}
