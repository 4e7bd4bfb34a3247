import { spawn } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { projectRoot } from '#test/helpers/command.ts'
import { RunningCommand } from '#test/helpers/consumer-process.ts'

/** What a process has taken from its beginning to its end. */
export interface Cost {
  /** CPU time, user and system, of all its threads. */
  readonly cpuSeconds: number
  readonly peakBytes: number
  /** By the clock on the wall. */
  readonly seconds: number
}

const TELL_COST = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs'
  process.on('exit', () => writeSync(3, JSON.stringify(process.resourceUsage())))`,
)}`

/** A script of the project in a process of its own, which tells what it has cost by a pipe of its own. */
export class MeasuredProcess {
  readonly running: RunningCommand
  readonly #usage: Promise<string>
  readonly #started = performance.now()

  /** @param environment all that it knows of ours, beside the path */
  constructor(script: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    const argv = ['--import', TELL_COST, path.join(projectRoot, script), ...args]
    const child = spawn(process.execPath, argv, {
      cwd: projectRoot,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.running = new RunningCommand(child)
    this.#usage = text(child.stdio[3] as Readable)
  }

  /** Waits for its end, or asks for it. @throws Error with what it has said, when it does not end well */
  async end(signal?: NodeJS.Signals): Promise<Cost> {
    const code = await this.running.end(signal)
    const seconds = (performance.now() - this.#started) / 1000
    if (code !== 0) throw new Error(`it ended with ${String(code)}:\n${this.running.said}`)
    const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(await this.#usage) as NodeJS.ResourceUsage
    return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024, seconds }
  }
}
