import { type ErrorCode, InletError } from '#shared/pipeline/errors.ts'
import { s3Error } from './s3-errors.ts'

/** What Glue says under the status 400, and what no client of S3 is told. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  Throttling: 'STORE_UNAVAILABLE',
  ThrottledException: 'STORE_UNAVAILABLE',
  TooManyRequestsException: 'STORE_UNAVAILABLE',
  RequestLimitExceeded: 'STORE_UNAVAILABLE',
  LimitExceededException: 'STORE_UNAVAILABLE',
  RequestTimeoutException: 'STORE_UNAVAILABLE',
  OperationTimeoutException: 'STORE_UNAVAILABLE',
  ResourceNotReadyException: 'STORE_UNAVAILABLE',
  ConcurrentModificationException: 'STORE_UNAVAILABLE',
  FederationSourceRetryableException: 'STORE_UNAVAILABLE',
  InternalServiceException: 'STORE_UNAVAILABLE',
  InternalFailure: 'STORE_UNAVAILABLE',
  // A quota, as of partitions: it can be raised, and tables can be cleaned up.
  ResourceNumberLimitExceededException: 'STORE_FULL',
}

/**
 * The one place where faults of the services that keep tables (Glue, S3 Tables), of their clients and of the network become
 * errors of the store. What is not named here is a fault of any client of AWS.
 * @param cannot what was tried, with the table
 * @param advice what to do about an error, by its name
 */
export function catalogError(
  error: unknown,
  cannot: string,
  advice: Readonly<Record<string, string>> = {},
): InletError {
  const name = errorName(error)
  const { code, message } = s3Error(error, cannot)
  const hint = advice[name]
  return new InletError(CODES[name] ?? code, hint === undefined ? message : `${message.replace(/\.$/, '')}. ${hint}`)
}

/** The code that an answer gives to one item among others, as a partition. */
export function itemErrorCode(name: string): ErrorCode {
  return CODES[name] ?? (name === 'ThrottlingException' ? 'STORE_UNAVAILABLE' : 'STORE_DENIED')
}

/** The name that a service gives an error; empty without one. */
export function errorName(error: unknown): string {
  const name: unknown = typeof error === 'object' && error !== null && 'name' in error ? error.name : ''
  return typeof name === 'string' ? name : ''
}
