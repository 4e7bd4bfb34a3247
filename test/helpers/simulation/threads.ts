import { Worker } from 'node:worker_threads'
import type { Failure, Level, Run } from './runs.ts'

/** What a thread is asked for: the first failure of a run, or all that happens in some schedules. */
export type Task = Run | { readonly level: Level; readonly seeds: readonly number[] }

/** What a thread says: how many schedules it has run since it last spoke, or what its task came to. */
export type Answer =
  | { readonly schedules: number }
  | { readonly failure: Failure | undefined }
  | { readonly traces: readonly (readonly string[])[] }

export interface ThreadOptions {
  readonly threads: number
  /** Called with the number of schedules that were run since the last call. */
  readonly onSchedules?: (count: number) => void
  /** Whether nothing is begun any more once a run has failed. */
  readonly stopsAtFailure?: boolean
}

/**
 * Runs schedules in threads of their own, on plain Node: in the sandbox of the test runner the same takes more than twice
 * as long.
 * @returns the first failure of each run, in the order of the runs; undefined where there was none
 */
export async function failuresOf(
  runs: readonly Run[],
  { threads, onSchedules, stopsAtFailure = false }: ThreadOptions,
): Promise<(Failure | undefined)[]> {
  const failures: (Failure | undefined)[] = runs.map(() => undefined)
  let next = 0
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url))
      let at = -1
      const goOn = (): void => {
        at = next++
        const run = runs[at]
        if (run !== undefined) ask(worker, run)
        else void worker.terminate().then(() => resolve(), reject)
      }
      worker.on('message', (answer: Answer) => {
        if ('schedules' in answer) return onSchedules?.(answer.schedules)
        if (!('failure' in answer)) return
        failures[at] = answer.failure
        if (answer.failure !== undefined && stopsAtFailure) next = runs.length
        goOn()
      })
      worker.once('error', reject)
      goOn()
    })
  await Promise.all(Array.from({ length: Math.min(threads, runs.length) }, work))
  return failures
}

/** All that happens in some schedules, line by line, in a new thread. */
export function tracesOf(level: Level, seeds: readonly number[]): Promise<readonly (readonly string[])[]> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url))
  return new Promise((resolve, reject) => {
    worker.on('message', (answer: Answer) => {
      if (!('traces' in answer)) return
      void worker.terminate().then(() => resolve(answer.traces), reject)
    })
    worker.once('error', reject)
    ask(worker, { level, seeds })
  })
}

/** Seeds in pieces, so that no thread has nothing to do while another still has much. */
export function inPieces({ count, from, ...run }: Run, size: number): Run[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    return { ...run, from: from + i * size, count: Math.min(size, count - i * size) }
  })
}

function ask(worker: Worker, task: Task): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  worker.postMessage(task)
}
