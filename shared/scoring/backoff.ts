const FIRST_MS = 100
const LONGEST_MS = 3000

/**
 * How long to wait before the next attempt: anything up to a bound that doubles, so that many writers do not come back at once
 * ("full jitter").
 * @param failures so far, from 1
 * @param random from 0 to 1
 */
export function retryPause(failures: number, random: number): number {
  return random * Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
}

/** Waits, or until the signal aborts. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
