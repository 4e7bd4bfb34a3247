import { StartRefusedError } from './job-runner.ts'

/** What a service answers before it has started anything. */
const BUSY = new Set([
  'ConcurrentRunsExceededException',
  'ConflictException',
  'RequestLimitExceeded',
  'ResourceNumberLimitExceededException',
  'ServiceQuotaExceededException',
  'ThrottlingException',
  'TooManyRequestsException',
])
const WRONG = new Set([
  'AccessDeniedException',
  'EntityNotFoundException',
  'ExpiredTokenException',
  'InvalidInputException',
  'InvalidRequestException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'ValidationException',
])
/** EMR has no error of its own for a cluster whose queue is full. */
const FULL_QUEUE = /maximum number of active steps/i

/** An error of a start as one that says whether anything was started, where the service says so; otherwise as it is. */
export function startError(error: unknown, cannot: string): unknown {
  if (!(error instanceof Error)) return error
  const told = `${cannot}: ${error.name}: ${error.message}`
  if (BUSY.has(error.name) || FULL_QUEUE.test(error.message))
    return new StartRefusedError('busy', told, { cause: error })
  return WRONG.has(error.name) ? new StartRefusedError('wrong', told, { cause: error }) : error
}
