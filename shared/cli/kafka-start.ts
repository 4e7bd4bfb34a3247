import process from 'node:process'
import { type RetryOptions, STARTUP_MS } from '#shared/sources/kafka-retries.ts'

/** A wait that nobody notices needs no words. */
const UNNOTICED_MS = 1000

/** How a command waits for a cluster that is not there yet: half a minute, and saying so. */
export function startupRetries(): RetryOptions {
  let isSaid = false
  return {
    now: () => performance.now(),
    withinMs: STARTUP_MS,
    onPause: ({ message }, pauseMs) => {
      if (isSaid || pauseMs < UNNOTICED_MS) return
      isSaid = true
      process.stderr.write(`${message}\nTrying again for ${STARTUP_MS / 1000} s.\n`)
    },
  }
}
