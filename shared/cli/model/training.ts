import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { MODEL_SOURCES } from './declaration.ts'
import type { Examples } from './examples.ts'
import { ModelError, modelPython } from './python.ts'

const Counts = z.object({ learned: z.number(), heldOut: z.number() })
const Trained = z.object({
  version: z.string(),
  /** Areas under the ROC curve, on flights that were held out. */
  auc: z.number(),
  aucOfDepartureDelay: z.number(),
  logLoss: z.number(),
  logLossOfBaseRate: z.number(),
  /** The share of late flights among those held out. */
  lateShare: z.number(),
  flights: Counts,
  days: Counts,
})

/** A model, and how good it is. */
export type Training = Readonly<z.output<typeof Trained>> & { readonly folder: string; readonly archive: string }

/**
 * Trains a model as SageMaker would: its channel, its model and what went wrong are where they are in a container, below a folder.
 * @throws UsageError, ModelError
 */
export async function trainModel(examples: Examples, folder: string, say: (text: string) => void): Promise<Training> {
  const python = await modelPython(say)
  const channel = path.join(folder, 'input/data/train')
  await rm(channel, { recursive: true, force: true })
  await mkdir(channel, { recursive: true })
  await writeFile(path.join(channel, 'flights.csv'), examples.csv)
  const training = spawn(python, ['-m', 'flight_delay', 'train', '--local'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: modelEnvironment(folder),
  })
  training.stderr.on('data', (said: Buffer) => process.stderr.write(said))
  const [printed, [code, signal]] = await Promise.all([
    text(training.stdout),
    once(training, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  if (code !== 0)
    throw new ModelError(
      `the training has failed (${signal ?? `exit code ${code}`}): ${folder}/output/failure says why`,
    )
  return { ...Trained.parse(JSON.parse(printed)), folder, archive: path.join(folder, 'model.tar.gz') }
}

/** What Python is told, in place of the paths that a container has. */
export function modelEnvironment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    SAGEMAKER_BASE_DIR: path.resolve(folder),
    PYTHONPATH: MODEL_SOURCES,
    PYTHONDONTWRITEBYTECODE: '1',
  }
}
