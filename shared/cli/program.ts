import process from 'node:process'
import { Command, CommanderError } from 'commander'
import { addCheck } from './commands/check.ts'
import { addConsume } from './commands/consume.ts'
import { addCost } from './commands/cost.ts'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addDescribe } from './commands/describe.ts'
import { addEpoch } from './commands/epoch.ts'
import { addInspect } from './commands/inspect.ts'
import { addJobs } from './commands/jobs.ts'
import { addKafka } from './commands/kafka.ts'
import { addModel } from './commands/model.ts'
import { addPause, addResume } from './commands/pause.ts'
import { addProduce } from './commands/produce.ts'
import { addQuery } from './commands/query.ts'
import { addReplay } from './commands/replay.ts'
import { addRescore } from './commands/rescore.ts'
import { addRun } from './commands/run.ts'
import { addTable } from './commands/table.ts'
import { addTopics } from './commands/topics.ts'
import { addVacuum } from './commands/vacuum.ts'
import { addVerify } from './commands/verify.ts'
import { addWhereis } from './commands/whereis.ts'
import { describeFailure, exitCodeOf } from './failure.ts'
import { printable } from './printable.ts'

const program = new Command('inlet')
  .description('Kafka events into a data lake that people can trust.')
  .showHelpAfterError('(--help shows how to call it)')
  .exitOverride()

// Each loads what it works with when it is called: help and wrong calls are answered at once.
for (const add of [
  addRun,
  addReplay,
  addConsume,
  addQuery,
  addTable,
  addVerify,
  addWhereis,
  addDeadLetters,
  addRescore,
  addVacuum,
  addEpoch,
  addJobs,
  addDescribe,
  addInspect,
  addKafka,
  addTopics,
  addProduce,
  addModel,
  addCheck,
  addPause,
  addResume,
  addCost,
])
  add(program)

// Who reads our output has seen enough: `| head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; asking for help is no mistake.
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else {
    const lines = describeFailure(error).split('\n')
    process.stderr.write(`inlet: ${lines.map(printable).join('\n')}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
