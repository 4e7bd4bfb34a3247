import { InletError } from '#shared/pipeline/errors.ts'

/** Above what a client's own attempts come to when a service answers slowly, and below a function's timeout. */
export const DEADLINE_MS = 30_000

/**
 * Settings of AWS clients that cannot hang: a frozen connection, request or answer becomes an error that the client tries
 * again, and all of it ends by the deadline of `boundedCall`.
 */
export const UNHANGING = {
  maxAttempts: 4,
  requestHandler: {
    connectionTimeout: 3000,
    /** Until the answer begins, the upload included. */
    requestTimeout: 10_000,
    throwOnRequestTimeout: true,
    /** Silence, in the midst of an answer too. */
    socketTimeout: 5000,
  },
}

/**
 * Makes a call and gives it up at the deadline.
 * @param cannot what is tried, for messages
 * @param deadlineMs how long it may take in all: retries, waiting between them, and reading its answer. Milliseconds
 * @param onError what an error of the call comes to: an answer, or an error in our words
 * @throws InletError STORE_UNAVAILABLE at the deadline
 */
export async function boundedCall<T>(
  cannot: string,
  deadlineMs: number,
  call: (abortSignal: AbortSignal) => Promise<T>,
  onError: (error: unknown) => T,
): Promise<T> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), deadlineMs)
  try {
    return await call(deadline.signal)
  } catch (error) {
    if (deadline.signal.aborted)
      throw new InletError('STORE_UNAVAILABLE', `${cannot}: it took more than ${deadlineMs} ms`)
    return onError(error)
  } finally {
    clearTimeout(timer)
  }
}
