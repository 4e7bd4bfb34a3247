/**
 * What a process takes from the machine besides computing: timers, and what is random. In a schedule both are the
 * schedule's, so that a seed decides them too and nothing ever waits.
 *
 * One process runs at a time, from the moment at which one of its calls is answered until all that follows from it at once
 * has happened; so whoever asks for a timer or a name is the process that was entered last.
 */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'

/** A process, as the machine that it runs on. */
export interface Host {
  later(work: () => void, milliseconds: number): Timer
  uuid(): string
  random(): number
}

/** A timer of a host. */
export interface Timer {
  cancel(): void
}

let host: Host | undefined

/** From now on it is this process that runs; undefined for none. */
export function enter(next: Host | undefined): void {
  host = next
}

/** Replaces them in this thread, for good. Outside every process they are the machine's. */
export function installSandbox(): void {
  const { setTimeout: wait, clearTimeout: cancel } = globalThis
  const { randomUUID: uuid } = crypto
  const { random } = Math
  const sandboxed = {
    setTimeout: (work: () => void, milliseconds = 0) => host?.later(work, milliseconds) ?? wait(work, milliseconds),
    clearTimeout: (timer?: Timer | NodeJS.Timeout) => {
      if (timer !== undefined && 'cancel' in timer) timer.cancel()
      else cancel(timer)
    },
  }
  Object.assign(globalThis, sandboxed)
  Object.assign(timers, sandboxed)
  Object.assign(crypto, { randomUUID: () => host?.uuid() ?? uuid() })
  Object.assign(Math, { random: () => host?.random() ?? random() })
  Object.assign(AbortSignal, { timeout: abortedAfter })
  syncBuiltinESMExports()
}

function abortedAfter(milliseconds: number): AbortSignal {
  const controller = new AbortController()
  setTimeout(
    () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
    milliseconds,
  )
  return controller.signal
}
