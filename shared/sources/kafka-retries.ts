import { type KafkaError, kafkaError } from './kafka-faults.ts'

/** What waiting needs from outside: a clock in milliseconds, and to be told of what is waited for. */
export interface RetryOptions {
  readonly now: () => number
  /** No new attempt begins so many milliseconds after the first; `Infinity` for what may wait for ever. */
  readonly withinMs: number
  /** Called before each pause: what went wrong, and for how long it is waited. */
  readonly onPause?: (error: KafkaError, pauseMs: number) => void
  readonly signal?: AbortSignal
}

/** How long a command waits for a cluster that is not there yet. */
export const STARTUP_MS = 30_000

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/**
 * Does something with Kafka until it works, as long as what goes wrong can heal.
 * @param cannot what is tried, and where, as for `kafkaError`
 * @throws KafkaError of the last attempt; at once when no retry can help
 */
export async function retried<T>(operation: () => Promise<T>, cannot: string, options: RetryOptions): Promise<T> {
  const { now, withinMs, onPause, signal } = options
  const end = now() + withinMs
  for (let failures = 1; ; failures++) {
    try {
      return await operation()
    } catch (thrown) {
      const error = kafkaError(thrown, cannot)
      const pause = retryPause(failures, Math.random())
      if (!error.canRetry || signal?.aborted === true || now() + pause > end) throw error
      onPause?.(error, pause)
      await rest(pause, signal)
    }
  }
}

/**
 * Milliseconds to wait after so many failures in a row: doubled each time up to half a minute, and spread over its upper
 * half, so that all who lost the same broker do not come back at once.
 * @param chance from 0 to 1
 */
export function retryPause(failures: number, chance: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS)
  return Math.round(pause * (0.5 + chance / 2))
}

function rest(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, milliseconds)
    signal?.addEventListener('abort', wake)
  })
}
