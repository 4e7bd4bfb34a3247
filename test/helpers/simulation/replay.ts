/**
 * Runs one schedule and tells what happened: `node test/helpers/simulation/replay.ts <seed> [<guard to take out>]`.
 */
import { mutantWithout } from './mutants.ts'
import { PRODUCT } from './parts.ts'
import { runSchedule } from './runs.ts'
import { Trace } from './trace.ts'

const [seed, guard] = process.argv.slice(2)
const trace = new Trace()
const parts = guard === undefined ? PRODUCT : await mutantWithout(guard).parts()
const faults = await runSchedule(Number(seed), parts, trace)
console.log([...trace.lines, '', ...(faults.length > 0 ? faults : ['No faults.'])].join('\n'))
