import { parentPort, workerData } from 'node:worker_threads'
import { mutantWithout } from './mutants.ts'
import { PRODUCT } from './parts.ts'
import { firstFailure, type Run } from './runs.ts'

const run = workerData as Run
const mutant = run.without === undefined ? undefined : mutantWithout(run.without)
const failure = await firstFailure(run, (await mutant?.parts()) ?? PRODUCT, mutant?.harm)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
parentPort?.postMessage(failure)
