/** Runs many more of the schedules that the property tests run: `npm run soak -- --help`. */
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { Command } from 'commander'
import { atLeastOne, atLeastZero } from '#shared/cli/commands/options.ts'
import { formatCount, Progress } from '#shared/cli/progress.ts'
import { describeFailure, type Failure, type Level } from '#test/helpers/simulation/runs.ts'
import { failuresOf, inPieces } from '#test/helpers/simulation/threads.ts'

interface Options {
  readonly log: number
  readonly handler: number
  readonly from: number
  readonly threads: number
  readonly json?: true
}

/** What the schedules of one level came to. */
interface Result {
  readonly level: Level
  readonly schedules: number
  readonly seconds: number
  readonly failures: readonly Failure[]
}

/** Seeds of one task of a thread. */
const PIECE = { log: 500, handler: 50 }

const options = new Command('npm run soak --')
  .description('run schedules of redeliveries, crashes, races and clean-ups, and check what each of them leaves')
  .option('--log <n>', 'schedules on the commit log, with a trivial format', atLeastZero, 1_000_000)
  .option('--handler <n>', 'schedules through the whole handler', atLeastZero, 20_000)
  .option('--from <seed>', 'the first seed', atLeastOne, 1)
  .option('--threads <n>', 'schedules that run at a time', atLeastOne, availableParallelism())
  .option('--json', 'print the result as JSON')
  .addHelpText('after', '\nExample:\n  npm run soak -- --log 100000 --handler 0 --from 2000001')
  .parse()
  .opts<Options>()

async function simulate(level: Level): Promise<Result> {
  const schedules = options[level]
  const run = { level, from: options.from, count: schedules, shrinks: true }
  const progress = new Progress(level === 'log' ? 'commit log' : 'whole handler', schedules, 'schedules')
  try {
    const onSchedules = (count: number): void => progress.advance(count)
    const found = await failuresOf(inPieces(run, PIECE[level]), { threads: options.threads, onSchedules })
    return { level, schedules, seconds: progress.seconds, failures: found.filter((failure) => failure !== undefined) }
  } finally {
    progress.stop()
  }
}

const results = [await simulate('log'), await simulate('handler')]
const failures = results.flatMap((result) => result.failures)
if (options.json) process.stdout.write(`${JSON.stringify({ from: options.from, results })}\n`)
else {
  for (const { level, schedules, seconds } of results)
    process.stdout.write(`${level}: ${formatCount(schedules)} schedules in ${seconds.toFixed(0)} s\n`)
  process.stdout.write(`${[...failures.map(describeFailure), `${failures.length} failures`].join('\n\n')}\n`)
}
if (failures.length > 0) process.exitCode = 1
