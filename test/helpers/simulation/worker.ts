/** A thread that runs schedules: it is sent one `Task` after another. */
import { parentPort } from 'node:worker_threads'
import { mutatedRuns } from './mutated-modules.ts'
import { mutantWithout } from './mutants.ts'
import type { Failure, Run } from './runs.ts'
import type { Answer, Task } from './threads.ts'
import { Trace } from './trace.ts'

/** Schedules between two words about them. */
const PROGRESS_EVERY = 50

/** Nobody looks at stacks, and there are many errors. */
Error.stackTraceLimit = 0

parentPort?.on('message', (task: Task) => {
  void fulfil(task).then(answer)
})

async function fulfil(task: Task): Promise<Answer> {
  if ('seeds' in task) return { traces: await tracesOf(task.level, task.seeds) }
  return { failure: await failureOf(task) }
}

async function failureOf(run: Run): Promise<Failure | undefined> {
  const { harm, edits } = mutantWithout(run.without ?? 'nothing')
  const { install, firstFailure } = run.without === undefined ? await import('./runs.ts') : await mutatedRuns(edits)
  install()
  let schedules = 0
  const onSchedule = (): void => {
    schedules += 1
    if (schedules % PROGRESS_EVERY === 0) answer({ schedules: PROGRESS_EVERY })
  }
  const failure = await firstFailure(run, { harm, onSchedule })
  answer({ schedules: schedules % PROGRESS_EVERY })
  return failure
}

async function tracesOf(level: Run['level'], seeds: readonly number[]): Promise<string[][]> {
  const { install, runSchedule } = await import('./runs.ts')
  install()
  const traces: string[][] = []
  for (const seed of seeds) {
    const trace = new Trace()
    await runSchedule(level, { seed }, trace)
    traces.push(trace.lines)
  }
  return traces
}

function answer(said: Answer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  parentPort?.postMessage(said)
}
