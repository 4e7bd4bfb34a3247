import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'

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
    for (const end = Date.now() + withinMs; ; ) {
      const match = this.said.match(pattern)
      if (match !== null) return match
      this.#requireRunning(end, `said ${String(pattern)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /**
   * Waits until it has done something that others can see.
   * @throws Error with all that it said, when it has ended before or takes too long
   */
  async does(what: string, isDone: () => Promise<boolean>, withinMs = 120_000): Promise<void> {
    for (const end = Date.now() + withinMs; !(await isDone()); ) {
      this.#requireRunning(end, what)
      await sleep(500)
    }
  }

  /** Waits until it has brought a lake to so many records. @throws Error as above */
  lands(store: ObjectStore, records: number, withinMs?: number): Promise<void> {
    const isLanded = async (): Promise<boolean> => (await verifyLake(store, { deep: false })).counts.records >= records
    return this.does(`landed ${records} records`, isLanded, withinMs)
  }

  #requireRunning(end: number, what: string): void {
    const { exitCode, signalCode } = this.child
    if (Date.now() > end || exitCode !== null || signalCode !== null)
      throw new Error(`it has not ${what} (ended: ${signalCode ?? exitCode}), but said:\n${this.said}`)
  }

  /** @returns the exit code, or the signal that ended it */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    if (signal !== undefined) this.child.kill(signal)
    return this.#ended
  }
}
