import middy from '@middy/core'
import type { Context } from 'aws-lambda'

/** What every function works with. */
export interface FunctionSurroundings {
  readonly telemetry: {
    begin(context: Context): void
    /** Writes out what is buffered; the last thing before a function answers. */
    end(): void
  }
}

/**
 * A function as Lambda calls it: telemetry begins and ends with each invocation, and `work` has a signal for when its time is
 * nearly over.
 * @param surroundings called on the first invocation
 * @param onError hears what an invocation failed with, before its telemetry ends
 */
export function invocations<S extends FunctionSurroundings, Answer>(
  surroundings: () => S,
  work: (event: unknown, surroundings: S, signal: AbortSignal, context: Context) => Promise<Answer>,
  onError: (error: unknown, surroundings: S) => void = () => {},
): (event: unknown, context: Context) => Promise<Answer> {
  let known: S | undefined
  const handler = middy<unknown, Answer>()
    .before(({ context }) => {
      known ??= surroundings()
      known.telemetry.begin(context)
    })
    .after(() => known?.telemetry.end())
    .onError(({ error }) => {
      if (known === undefined) return
      onError(error, known)
      known.telemetry.end()
    })
    .handler((event, context) => work(event, known as S, deadline(context.getRemainingTimeInMillis()), context))
  return (event, context) => handler(event, context)
}

/** A tenth of what is left, and at least a second, is kept for what has begun. */
function deadline(remaining: number): AbortSignal {
  const usable = Math.floor(remaining - Math.max(1000, remaining / 10))
  return usable > 0 ? AbortSignal.timeout(usable) : AbortSignal.abort()
}
