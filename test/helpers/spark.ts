import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { installSpark, type SparkInstallation, sparkEnvironment } from '#shared/cli/spark/spark-installation.ts'
import { projectRoot } from './command.ts'
import { VENV_TIMEOUT_MS } from './venv.ts'

const SCRIPT = path.join(projectRoot, 'test/integration/iceberg-spark.py')

/** Whoever signs a request for S3 is told so by the catalog; these are for the others, which nobody checks. */
const NOBODY = { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nobody', AWS_REGION: 'us-east-1' }

/** Long enough to fetch Spark, and to start it on a machine that does other things. */
export const SPARK_TIMEOUT_MS = VENV_TIMEOUT_MS + 120_000

/** Spark as the tests have it. @param onS3 whether it reads from S3 */
export function sparkHere({ onS3 = false }: { readonly onS3?: boolean } = {}): Promise<SparkInstallation> {
  const jars = ['iceberg-spark-runtime-3.5_2.12', ...(onS3 ? ['iceberg-aws-bundle' as const] : [])] as const
  return installSpark(path.join(projectRoot, '.cache'), jars)
}

/** What a statement came to. */
export interface SparkAnswer {
  readonly columns: readonly string[]
  /** Values as iceberg-spark.py sends them: see `SPARK_FORM`. */
  readonly rows: readonly (readonly unknown[])[]
  /** Data files of Iceberg tables that were read. */
  readonly files: number
}

/**
 * Spark with Iceberg, in a process of its own. Its catalog `lake` has the tables of all lakes below a folder: the table `t` of the
 * lake `<warehouse>/l` is `lake.l.tables.t`.
 */
export class Spark {
  /** The folder, removed in the end. */
  readonly warehouse: string
  readonly #process: ChildProcess
  readonly #answers: Interface
  /** Rejects when it ends. */
  readonly #ended: Promise<never>

  private constructor(warehouse: string, process: ChildProcess) {
    this.warehouse = warehouse
    this.#process = process
    this.#answers = createInterface({ input: process.stdout as NodeJS.ReadableStream })
    this.#ended = once(process, 'exit').then(async () => {
      throw new Error(`Spark has ended. It said:\n${(await readFile(logOf(warehouse), 'utf8')).slice(-3000)}`)
    })
  }

  /**
   * Starts it; fetches Spark and Iceberg first where they are not there. Whoever starts it has to stop it.
   * @param onS3 whether catalogs may read from S3
   * @throws Error naming what is missing on the machine
   */
  static async start({ onS3 = false }: { readonly onS3?: boolean } = {}): Promise<Spark> {
    const { python, jars } = await sparkHere({ onS3 })
    const warehouse = await mkdtemp(path.join(os.tmpdir(), 'inlet-spark-'))
    const spark = new Spark(warehouse, await launch(python, jars, warehouse))
    try {
      await spark.ask('SELECT 1')
      return spark
    } catch (error) {
      await spark.stop()
      throw error
    }
  }

  /** @throws Error with what Spark has against the statement */
  async ask(sql: string): Promise<SparkAnswer> {
    const answered = once(this.#answers, 'line') as Promise<[string]>
    this.#process.stdin?.write(`${JSON.stringify({ sql })}\n`)
    const [line] = await Promise.race([answered, this.#ended])
    const answer = JSON.parse(line) as SparkAnswer & { error?: string }
    if (answer.error !== undefined) throw new Error(`${sql.slice(0, 2000)}\n${answer.error}`)
    return answer
  }

  /** Its JVM ends with it. */
  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#process
    if (exitCode === null && signalCode === null) {
      const exited = once(this.#process, 'exit')
      this.#process.stdin?.end()
      const force = setTimeout(() => this.#process.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(force)
    }
    this.#answers.close()
    // The JVM cleans up there too, and may still be at it.
    await rm(this.warehouse, { recursive: true, force: true, maxRetries: 10 })
  }
}

const logOf = (warehouse: string): string => path.join(warehouse, '.spark.log')

async function launch(python: string, jars: readonly string[], warehouse: string): Promise<ChildProcess> {
  const log = await open(logOf(warehouse), 'w')
  const launched = spawn(python, [SCRIPT, jars.join(','), warehouse], {
    cwd: warehouse,
    stdio: ['pipe', 'pipe', log.fd],
    env: { ...sparkEnvironment(process.env), ...NOBODY },
  })
  await once(launched, 'spawn')
  await log.close()
  return launched
}
