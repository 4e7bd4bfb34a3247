import process from 'node:process'

/** Aborts at the first SIGINT or SIGTERM. A second one ends the process at once. */
export function untilStopped(): AbortSignal {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}
