import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { UsageError } from '#shared/cli/failure.ts'
import { ModelError, modelPython } from './python.ts'
import { modelEnvironment } from './training.ts'

const Ready = z.object({ port: z.int(), version: z.string() })

/** A model that answers on this machine, as its SageMaker endpoint would. */
export class ServedModel {
  readonly url: string
  readonly version: string
  readonly #process: ChildProcess

  private constructor({ port, version }: z.output<typeof Ready>, server: ChildProcess) {
    this.url = `http://127.0.0.1:${port}`
    this.version = version
    this.#process = server
  }

  /** Whoever starts it has to stop it. @throws UsageError when there is no model yet; ModelError when it does not come to listen */
  static async start(folder: string, say: (text: string) => void): Promise<ServedModel> {
    if (!existsSync(path.join(folder, 'model/model.json')))
      throw new UsageError(`there is no model in ${folder}: "inlet model train" makes one`)
    const python = await modelPython(say)
    const server = spawn(python, ['-m', 'flight_delay', 'serve', '--local'], {
      // Its standard input ends with us, and it with that. A Ctrl-C is for us, who stop it then.
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
      env: modelEnvironment(folder),
    })
    const ended = once(server, 'exit').then(([code]) => {
      throw new ModelError(`the server has ended with ${String(code)} before it listened`)
    })
    const line = once(createInterface({ input: server.stdout }), 'line') as Promise<[string]>
    try {
      const [ready] = await Promise.race([line, ended])
      ended.catch(() => undefined)
      return new ServedModel(Ready.parse(JSON.parse(ready)), server)
    } catch (error) {
      server.kill('SIGTERM')
      throw error
    }
  }

  /** Until it has ended, for whatever reason. @returns its exit code; null when a signal has ended it */
  async ended(): Promise<number | null> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit')
    return this.#process.exitCode
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGTERM')
    await this.ended()
  }
}

/** What lets the other commands ask it. */
export function exportLine({ url }: Pick<ServedModel, 'url'>): string {
  return `export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=${url}`
}
