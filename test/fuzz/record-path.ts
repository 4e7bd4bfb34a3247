/** Lands whatever bytes there may be and looks at what becomes of them, seed by seed: `npm run fuzz -- --help`. */
import process from 'node:process'
import { Command, InvalidArgumentError } from 'commander'
import { Progress } from '#shared/cli/progress.ts'
import { type Failure, faultOrCrash, readValues, runCase, writeValues } from './runs.ts'
import { type Subject, subjects } from './subjects.ts'

/** More than the heap of any case, less than what a leak of all cases would come to. */
const MAX_GROWTH = 400 * 1024 * 1024

interface Options {
  readonly seconds?: number
  readonly cases?: number
  readonly seed?: number
  readonly pipeline?: string
  readonly values?: string
  readonly json?: true
}

const options = new Command('npm run fuzz --')
  .description('land random, cut and mutated records, and check what becomes of each')
  .option('--seconds <n>', 'how long (60 unless --cases says otherwise)', count)
  .option('--cases <n>', 'how many cases', count)
  .option('--seed <n>', 'decides every case; without it one is drawn and told', count)
  .option('--pipeline <name>', 'one pipeline instead of all')
  .option('--values <base64.,…>', 'a failing input again, as a failure tells it')
  .option('--json', 'print the result as JSON')
  .parse()
  .opts<Options>()

const say = (line: string): unknown => process.stderr.write(`${line}\n`)

function count(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('Expected a whole number.')
  return value
}

function chosen(): Subject[] {
  const all = subjects()
  if (options.pipeline === undefined) return [...all.values()]
  const subject = all.get(options.pipeline)
  if (subject !== undefined) return [subject]
  say(`--pipeline: there are ${[...all.keys()].join(', ')}`)
  process.exit(2)
}

function describeFailure({ pipeline, fault, values }: Failure, seed: number, number: number): string {
  return [
    `FAILED in case ${number} of seed ${seed}, pipeline ${pipeline}: ${fault}`,
    ...values.map((value, i) => `  value ${i}: ${value === null ? 'a tombstone' : previewOf(value)}`),
    `again: npm run fuzz -- --pipeline ${pipeline} --values ${writeValues(values)}`,
  ].join('\n')
}

function previewOf(value: Uint8Array): string {
  const text = Buffer.from(value).toString('latin1')
  return `${value.length} bytes, ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}`
}

async function fuzz(all: readonly Subject[]): Promise<boolean> {
  const { seed = Math.floor(Math.random() * 2 ** 31), cases = Number.POSITIVE_INFINITY } = options
  const seconds = options.seconds ?? (options.cases === undefined ? 60 : Number.POSITIVE_INFINITY)
  say(`seed ${seed}, pipelines ${all.map(({ flow }) => flow.pipeline.name).join(', ')}`)
  const byTime = Number.isFinite(seconds)
  const progress = new Progress('fuzz', byTime ? seconds : cases, byTime ? 'seconds' : 'cases')
  const heap = process.memoryUsage().rss
  let [number, told] = [0, 0]
  let failure: string | undefined
  for (; failure === undefined && number < cases && progress.seconds < seconds; number++) {
    const found = await runCase(all[number % all.length] as Subject, seed, number)
    const grown = process.memoryUsage().rss - heap > MAX_GROWTH
    if (found !== undefined) failure = describeFailure(found, seed, number)
    else if (grown) failure = `FAILED: after ${number} cases of seed ${seed} memory has grown by ${MAX_GROWTH >> 20} MB`
    const done = byTime ? Math.floor(Math.min(progress.seconds, seconds)) : number + 1
    progress.advance(done - told)
    told = done
  }
  progress.stop()
  if (options.json) process.stdout.write(`${JSON.stringify({ seed, cases: number, failure: failure ?? null })}\n`)
  else say(failure ?? `${number} cases: nothing found`)
  return failure === undefined
}

async function replay(all: readonly Subject[], text: string): Promise<boolean> {
  const values = readValues(text)
  for (const subject of all) {
    const fault = await faultOrCrash(subject, values)
    say(`${subject.flow.pipeline.name}: ${fault ?? 'nothing found'}`)
    if (fault !== undefined) return false
  }
  return true
}

const passed = options.values === undefined ? await fuzz(chosen()) : await replay(chosen(), options.values)
process.exitCode = passed ? 0 : 1
