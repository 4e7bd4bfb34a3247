import { Worker } from 'node:worker_threads'
import { faultsOf } from './faults.ts'
import { type Parts, PRODUCT } from './parts.ts'
import { Trace } from './trace.ts'
import { World } from './world.ts'

/** Schedules to run, by their seeds. */
export interface Run {
  readonly from: number
  readonly count: number
  /** The guard to take out of the product (see `mutants.ts`); then only the harm that it prevents is looked for. */
  readonly without?: string
}

/** A schedule that did not end well. */
export interface Failure {
  readonly seed: number
  readonly faults: readonly string[]
  readonly trace: readonly string[]
}

/** Runs one schedule. @returns what is wrong at its end */
export async function runSchedule(seed: number, parts: Parts = PRODUCT, trace?: Trace): Promise<string[]> {
  const world = new World(seed, parts, trace)
  try {
    await world.run()
  } catch (error) {
    return [String(error)]
  }
  return faultsOf(world)
}

/** Runs schedules until one fails, then that one again to tell what happened. */
export async function firstFailure({ from, count }: Run, parts: Parts, harm = /^/): Promise<Failure | undefined> {
  for (let seed = from; seed < from + count; seed++) {
    const faults = await runSchedule(seed, parts)
    if (!faults.some((fault) => harm.test(fault))) continue
    const trace = new Trace()
    await runSchedule(seed, parts, trace)
    return { seed, faults, trace: trace.lines }
  }
  return undefined
}

/**
 * `firstFailure` in a thread of its own, on plain Node and with the mutant that the run names: in the sandbox of the
 * test runner the same takes more than twice as long.
 */
export function firstFailureInThread(run: Run): Promise<Failure | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: run })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the thread ended with ${code} and said nothing`)))
  })
}

/** A failure in words, with all that is needed to look into it. */
export function describeFailure({ seed, faults, trace }: Failure): string {
  return [
    `seed ${seed}:`,
    ...faults.map((fault) => `- ${fault}`),
    '',
    ...trace,
    '',
    `Again: node test/helpers/simulation/replay.ts ${seed}`,
  ].join('\n')
}
