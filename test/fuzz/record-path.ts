/**
 * Lands whatever bytes there may be and looks at what becomes of them: `npm run fuzz`.
 *
 * - `--seconds 60` or `--cases 100000`: how long (60 seconds unless said otherwise)
 * - `--seed 7`: the seed decides every case; without it, one is drawn and told
 * - `--pipeline flights`: one pipeline instead of all
 * - `--values <base64.,…>`: a failing input again, as a failure tells it
 */
import { parseArgs } from 'node:util'
import { type Failure, faultOrCrash, readValues, runCase, writeValues } from './runs.ts'
import { type Subject, subjects } from './subjects.ts'

const PROGRESS_MS = 2000
/** More than the heap of any case, less than what a leak of all cases would come to. */
const MAX_GROWTH = 400 * 1024 * 1024

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string' },
    cases: { type: 'string' },
    seed: { type: 'string' },
    pipeline: { type: 'string' },
    values: { type: 'string' },
  },
})

const say = (line: string): unknown => process.stderr.write(`${line}\n`)

function chosen(): Subject[] {
  const all = subjects()
  if (options.pipeline === undefined) return [...all.values()]
  const subject = all.get(options.pipeline)
  if (subject === undefined) throw new Error(`--pipeline: there are ${[...all.keys()].join(', ')}`)
  return [subject]
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
  const seed = options.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(options.seed)
  const cases = options.cases === undefined ? Number.POSITIVE_INFINITY : Number(options.cases)
  const seconds =
    options.seconds === undefined
      ? options.cases === undefined
        ? 60
        : Number.POSITIVE_INFINITY
      : Number(options.seconds)
  if (![seed, cases, seconds].every((number) => number >= 0))
    throw new Error('--seed, --cases and --seconds are numbers')
  say(`seed ${seed}, pipelines ${all.map(({ flow }) => flow.pipeline.name).join(', ')}`)
  const started = performance.now()
  const heap = process.memoryUsage().rss
  let told = started
  let number = 0
  const rate = (): string => `${number} cases, ${Math.round((number * 1000) / (performance.now() - started))}/s`
  for (; number < cases && performance.now() - started < seconds * 1000; number++) {
    const failure = await runCase(all[number % all.length] as Subject, seed, number)
    if (failure !== undefined) {
      say(describeFailure(failure, seed, number))
      return false
    }
    if (process.memoryUsage().rss - heap > MAX_GROWTH) {
      say(`FAILED: after ${number} cases of seed ${seed} memory has grown by more than ${MAX_GROWTH >> 20} MB`)
      return false
    }
    if (performance.now() - told < PROGRESS_MS) continue
    told = performance.now()
    say(rate())
  }
  say(`${rate()}: nothing found`)
  return true
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
