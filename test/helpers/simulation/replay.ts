/**
 * Runs one schedule and tells what happens in it:
 * `replay.ts <seed> [--handler] [--short] [--offsets <n>] [--without-events <ordinals>] [--without <guard>]`.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { mutatedRuns } from './mutated-modules.ts'
import { mutantWithout } from './mutants.ts'
import { parseMask } from './shrinking.ts'
import { Trace } from './trace.ts'

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    handler: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    offsets: { type: 'string' },
    'without-events': { type: 'string' },
    without: { type: 'string', default: 'nothing' },
  },
})
const { edits } = mutantWithout(values.without)
const runs = await mutatedRuns(edits)
runs.install()
const trace = new Trace()
const plan = {
  seed: Number(positionals[0]),
  isShort: values.short,
  ...(values.offsets === undefined ? {} : { offsets: Number(values.offsets) }),
  ...(values['without-events'] === undefined ? {} : { masked: parseMask(values['without-events']) }),
}
const { faults } = await runs.runSchedule(values.handler ? 'handler' : 'log', plan, trace)
process.stdout.write(`${[...trace.lines, '', ...(faults.length > 0 ? faults : ['No faults.'])].join('\n')}\n`)
