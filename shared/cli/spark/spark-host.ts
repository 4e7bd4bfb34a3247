import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { type SparkInstallation, sparkEnvironment } from './spark-installation.ts'

const HOST = path.join(import.meta.dirname, '../../../infra/jobs/spark_host.py')
/** How long Spark may take to end by itself. */
const END_MS = 10_000

/** What a script has ended with. */
export interface ScriptResult {
  /** Null when nothing is wrong. */
  readonly error: string | null
  /** The last line that it has printed. */
  readonly said: string
}

export interface SparkHostOptions {
  /** Settings of Spark besides, `--conf` of spark-submit. */
  readonly settings?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
}

/** A Spark in a process of its own that runs scripts, one after another. */
export class SparkHost {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #waiting = new Map<string, (result: ScriptResult) => void>()
  readonly #exited: Promise<void>

  private constructor(child: ChildProcess, folder: string) {
    this.#process = child
    this.#folder = folder
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const { id, ...result } = JSON.parse(line) as ScriptResult & { id: string }
      this.#settle(id, result)
    })
    this.#exited = this.#untilExit()
  }

  /** Whoever starts it has to stop it. */
  static async start(installation: SparkInstallation, options: SparkHostOptions = {}): Promise<SparkHost> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-spark-'))
    const log = await open(path.join(folder, 'log'), 'w')
    const child = spawn(installation.python, [HOST], {
      cwd: folder,
      stdio: ['pipe', 'pipe', log.fd],
      // A signal for the terminal is for whoever started it, who stops it.
      detached: true,
      env: {
        ...sparkEnvironment(process.env),
        ...options.environment,
        PYSPARK_SUBMIT_ARGS: submitArguments(installation, folder, options.settings ?? {}),
      },
    })
    await once(child, 'spawn')
    await log.close()
    // It is told by its exit that it takes no more.
    child.stdin?.on('error', () => undefined)
    return new SparkHost(child, folder)
  }

  /** Ends when the script does. The first one waits for Spark to start. */
  run(script: string, args: readonly string[]): Promise<ScriptResult> {
    const id = randomUUID()
    const { promise, resolve } = Promise.withResolvers<ScriptResult>()
    this.#waiting.set(id, resolve)
    if (this.#process.exitCode !== null || this.#process.signalCode !== null)
      this.#settle(id, { error: 'Spark has ended', said: '' })
    else this.#process.stdin?.write(`${JSON.stringify({ id, script, arguments: args })}\n`)
    return promise
  }

  /** As a machine that loses its power: what runs is cut off wherever it is. */
  async kill(): Promise<void> {
    const { pid } = this.#process
    if (pid !== undefined) killGroup(pid)
    await this.#exited
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process
    if (exitCode === null && signalCode === null && pid !== undefined) {
      this.#process.stdin?.end()
      const force = setTimeout(() => killGroup(pid), END_MS)
      await this.#exited
      clearTimeout(force)
    }
    // The JVM cleans up there too, and may still be at it.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 })
  }

  async #untilExit(): Promise<void> {
    await once(this.#process, 'exit')
    const log = await readFile(path.join(this.#folder, 'log'), 'utf8').catch(() => '')
    for (const id of this.#waiting.keys())
      this.#settle(id, { error: `Spark has ended. It said: ${log.slice(-1500)}`, said: '' })
  }

  #settle(id: string, result: ScriptResult): void {
    this.#waiting.get(id)?.(result)
    this.#waiting.delete(id)
  }
}

/** Python, and the JVM that it has started. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function submitArguments(
  { jars }: SparkInstallation,
  folder: string,
  settings: Readonly<Record<string, string>>,
): string {
  const all = {
    'spark.driver.memory': '1g',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.ui.enabled': 'false',
    'spark.ui.showConsoleProgress': 'false',
    'spark.jars': jars.join(','),
    'spark.local.dir': folder,
    'spark.sql.warehouse.dir': path.join(folder, 'warehouse'),
    // Tables of a laptop are small: what starts fast is faster than what runs fast.
    'spark.sql.shuffle.partitions': '2',
    'spark.driver.extraJavaOptions': '-XX:+UseSerialGC -XX:TieredStopAtLevel=1',
    ...settings,
  }
  const given = Object.entries(all).flatMap(([name, value]) => ['--conf', `"${name}=${value}"`])
  return ['--master', 'local[2]', ...given, 'pyspark-shell'].join(' ')
}
