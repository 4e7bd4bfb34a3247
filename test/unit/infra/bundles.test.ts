import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { type Bundle, bundleHandler, bundleParts } from '#test/bench/built-handler.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

/**
 * Bytes that the bundle of a function may have: a cold start parses all of them. Whoever raises one says with it what the
 * function does with more. The others are pipelines'.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  brokers: 300_000,
  committer: 680_000,
  jobs: 700_000,
  redrive: 650_000,
  tables: 490_000,
  topics: 760_000,
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

test('one that is over it says what it is full of', async () => {
  const [told] = excess('brokers', await bundleHandler('brokers', fileOf('brokers')), 200_000)
  expect(told).toMatch(
    /^functions\/brokers: \d+ bytes, and 200000 are its budget\n +1\d{5} {2}@smithy\/core\n[^]*@aws-sdk\/client-kafka\n/,
  )
})
