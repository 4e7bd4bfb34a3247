import path from 'node:path'
import {
  commandLine,
  type JobRunner,
  type RunState,
  StartRefusedError,
  type StartOrder,
} from '#shared/jobs/job-runner.ts'
import type { JobTarget } from '#shared/pipeline/job.ts'
import type { ScriptResult } from './spark-host.ts'

const SCRIPTS = path.join(import.meta.dirname, '../../../infra/jobs')
/** Those that run on this machine; what `train` does, `inlet model train` does here. */
const JOBS = new Set(['aggregate', 'compact', 'expire'])

/** What runs scripts. */
export interface ScriptHost {
  run(script: string, args: readonly string[]): Promise<ScriptResult>
}

/**
 * Runs Inlet's own jobs on this machine. Runs are known as long as the runner is: a scheduler that comes to one that is not finds
 * that it has failed, and tries it again.
 */
export class LaptopRunner implements JobRunner {
  readonly startsOnce = true
  readonly #host: ScriptHost
  readonly #catalog: string
  readonly #states = new Map<string, RunState>()

  /** @param catalog of the lake, as a job on this machine knows it: `rest:<address>` */
  constructor(host: ScriptHost, catalog: string) {
    this.#host = host
    this.#catalog = catalog
  }

  start(order: StartOrder): Promise<string> {
    const { identity } = order
    if (this.#states.has(identity)) return Promise.resolve(identity)
    const script = scriptOf(order.target)
    if (script === undefined)
      return Promise.reject(
        new StartRefusedError(
          'wrong',
          `${nameOf(order.target)} is none of the jobs that run on this machine: ${[...JOBS].join(', ')}`,
        ),
      )
    this.#states.set(identity, { state: 'running', message: null })
    const args = commandLine({ arguments: { ...order.arguments, catalog: this.#catalog } })
    void this.#run(identity, script, args)
    return Promise.resolve(identity)
  }

  async #run(identity: string, script: string, args: readonly string[]): Promise<void> {
    const { error, said } = await this.#host.run(script, args)
    this.#states.set(identity, { state: error === null ? 'succeeded' : 'failed', message: error ?? said })
  }

  /** Nobody asks: starting again finds it. */
  find(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  state(_order: Pick<StartOrder, 'target' | 'identity'>, runId: string): Promise<RunState> {
    const gone: RunState = { state: 'failed', message: 'the process that ran it has ended' }
    return Promise.resolve(this.#states.get(runId) ?? gone)
  }
}

/** The name of a Glue job ends in that of the script, as `inlet-compact`; those of EMR are called like it: `compact.py`. */
function scriptOf(target: JobTarget): string | undefined {
  const name = /(?:^|[-/:])(?<name>[a-z]+)(?:\.py)?$/.exec(nameOf(target))?.groups?.['name']
  return name !== undefined && JOBS.has(name) ? path.join(SCRIPTS, `${name}.py`) : undefined
}

function nameOf(target: JobTarget): string {
  return target.kind === 'glue' ? target.job : target.script
}
