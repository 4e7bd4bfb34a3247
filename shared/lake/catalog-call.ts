import { boundedCall, DEADLINE_MS } from './bounded-call.ts'
import { catalogError, errorName } from './catalog-errors.ts'

export interface CatalogCallOptions {
  /** Errors, by name, that are answers. */
  readonly refusals?: readonly string[]
  /** What to do about an error, by its name. */
  readonly advice?: Readonly<Record<string, string>>
  /** How long the call may take in all: retries, waiting between them, and reading its answer. Milliseconds. */
  readonly deadlineMs?: number
}

/**
 * Makes a call of a service that keeps tables, gives it up at the deadline, and says in our words what went wrong.
 * @param cannot what is tried, with the table, for messages
 * @returns undefined when it was refused
 * @throws InletError of stage `store`. The call may have been done nevertheless: the client sends a request again whose answer
 * it has lost, and a refusal, too, may be the answer to a second one
 */
export async function catalogCall<T>(
  cannot: string,
  call: (options: { abortSignal: AbortSignal }) => Promise<T>,
  { refusals = [], advice = {}, deadlineMs = DEADLINE_MS }: CatalogCallOptions = {},
): Promise<T | undefined> {
  return boundedCall<T | undefined>(
    cannot,
    deadlineMs,
    (abortSignal) => call({ abortSignal }),
    (error) => {
      if (refusals.includes(errorName(error))) return undefined
      throw catalogError(error, cannot, advice)
    },
  )
}
