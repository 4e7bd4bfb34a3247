import process from 'node:process'

/**
 * Aborts at the first SIGINT or SIGTERM. A second one ends the process at once.
 * @param withinMs how long it may take to stop, after which it is ended too: a service that hangs lets go of nobody
 */
export function untilStopped(withinMs?: number): AbortSignal {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    if (withinMs !== undefined) setTimeout(() => endNow(withinMs), withinMs).unref()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}

function endNow(afterMs: number): never {
  const seconds = afterMs / 1000
  process.stderr.write(`inlet: not everything has stopped after ${seconds} s: what has not landed will be read again\n`)
  process.exit(1)
}
