import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A command that goes on until it is told to stop, and what it has said. */
export class RunningCommand {
  readonly child: ChildProcess
  /** What it has written to its standard output and error. */
  said = ''
  readonly #ended: Promise<number | NodeJS.Signals | null>
  #wake: () => void = () => {}

  constructor(child: ChildProcess) {
    this.child = child
    const hear = (chunk: Buffer): void => {
      this.said += chunk.toString()
      this.#wake()
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    this.#ended = once(child, 'close').then(([code, signal]: unknown[]) => {
      this.#wake()
      return (signal ?? code) as number | NodeJS.Signals | null
    })
  }

  /** Waits until it has said something. @throws Error with all that it said, when it has ended before or says it too late */
  async says(pattern: RegExp, withinMs = 120_000): Promise<RegExpMatchArray> {
    const end = Date.now() + withinMs
    for (;;) {
      const match = this.said.match(pattern)
      if (match !== null) return match
      const { exitCode, signalCode } = this.child
      if (Date.now() > end || exitCode !== null || signalCode !== null)
        throw new Error(`it has not said ${String(pattern)} (ended: ${signalCode ?? exitCode}), but:\n${this.said}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** @returns the exit code, or the signal that ended it */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    if (signal !== undefined) this.child.kill(signal)
    return this.#ended
  }
}
