import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { readValueFile } from '#shared/sources/value-file.ts'
import { MEASUREMENT } from '#test/fixtures/measurements.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'
import { valueEvent } from '#test/helpers/value-event.ts'
import { type Bundle, bundleHandler, bundleParts } from '#test/bench/built-handler.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

/**
 * Bytes that the bundle of a function may have: a cold start parses all of them. Whoever raises one says with it what the
 * function does with more. The others are pipelines'.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  brokers: 290_000,
  committer: 670_000,
  jobs: 580_000,
  redrive: 640_000,
  // Files are read and written, snapshots made, and endpoints asked.
  rescore: 840_000,
  tables: 460_000,
  topics: 750_000,
}
const PIPELINE_BUDGET = 600_000
const SHOWN = 10

const directory = temporaryDirectory()

const functions = readdirSync(path.join(projectRoot, 'functions'))
const fileOf = (name: string) => path.join(directory(), `${name}.cjs`)

/** Why a bundle is too large, the largest parts first; nothing when it is not. */
function excess(name: string, bundle: Bundle, budget = BUDGETS[name] ?? PIPELINE_BUDGET): string[] {
  if (bundle.bytes <= budget) return []
  const parts = bundleParts(bundle).slice(0, SHOWN)
  const told = parts.map(([part, bytes]) => `  ${String(bytes).padStart(9)}  ${part}`)
  return [[`functions/${name}: ${bundle.bytes} bytes, and ${budget} are its budget`, ...told].join('\n')]
}

test('each function is within its budget, and loads where nothing lies beside it', async () => {
  const tooLarge: string[] = []
  for (const name of functions) tooLarge.push(...excess(name, await bundleHandler(name, fileOf(name))))
  expect(tooLarge.join('\n\n')).toBe('')
  const load = 'for (const file of process.argv.slice(1)) console.log(typeof require(file).handler)'
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', load, ...functions.map(fileOf)], { encoding: 'utf8' })
  expect({ stdout, stderr }).toEqual({ stdout: 'function\n'.repeat(functions.length), stderr: '' })
})

test('a pipeline with scores is within the budget of pipelines, with the client of SageMaker', async () => {
  const bundle = await bundleHandler('test/fixtures/scoring-handler.ts', fileOf('scoring'))
  expect(excess('flights', bundle)).toEqual([])
  expect(bundleParts(bundle).map(([part]) => part)).toContain('@aws-sdk/client-sagemaker-runtime')
})

/** The rows of the only file of a lake. */
async function rowsIn(folder: string): Promise<unknown> {
  const store = new DirectoryStore(folder)
  const [file] = (await committedFiles(store)).get('measurements') ?? []
  return readParquet((await store.get(file?.path ?? '')) as Uint8Array)
}

test('what is left out of a bundle is not missed: a column of every type, and what is refused', async () => {
  const values = [MEASUREMENT, { ...MEASUREMENT, ratio: null, tags: [], parts: [], place: null }, { id: 'none' }]
  const content = Buffer.from(values.map((value) => JSON.stringify(value)).join('\n'))
  const event = JSON.stringify(valueEvent(readValueFile(content, 1), 'measurements'))
  const file = fileOf('every-column')
  await bundleHandler('test/fixtures/every-column-handler.ts', file)
  const call = 'handler(JSON.parse(process.env.EVENT), { getRemainingTimeInMillis: () => 60000 })'
  const run = (load: string, lake: string) => {
    const env = { PATH: process.env['PATH'], EVENT: event, LAKE_URL: `file:${lake}` }
    const { status, stderr } = spawnSync(process.execPath, ['-e', load.replace('CALL', call)], {
      cwd: projectRoot,
      env,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toMatchObject({ status: 0 })
  }
  const [bundled, plain] = ['bundled', 'plain'].map((name) => path.join(directory(), name)) as [string, string]
  run(`require(${JSON.stringify(file)}).CALL`, bundled)
  run(`import('./test/fixtures/every-column-handler.ts').then(({ handler }) => CALL)`, plain)
  const rows = await rowsIn(bundled)
  expect(rows).toHaveLength(2)
  expect(rows).toEqual(await rowsIn(plain))
})

test('one that is over it says what it is full of', async () => {
  const [told] = excess('brokers', await bundleHandler('brokers', fileOf('brokers')), 200_000)
  expect(told).toMatch(
    /^functions\/brokers: \d+ bytes, and 200000 are its budget\n +1\d{5} {2}@smithy\/core\n[^]*@aws-sdk\/client-kafka\n/,
  )
})
