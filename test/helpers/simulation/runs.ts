import { faultsOf } from './faults.ts'
import { handlerWorkload } from './handler-workload.ts'
import { LOG_WORKLOAD } from './log-workload.ts'
import { installSandbox } from './sandbox.ts'
import { FLOOR, Script } from './script.ts'
import { maskText, type Outcome, shrunk } from './shrinking.ts'
import { Trace } from './trace.ts'
import { type Plan, World } from './world.ts'

/** How much of the product handles the batches. */
export type Level = 'log' | 'handler'

/** Schedules to run, by their seeds. */
export interface Run {
  readonly level: Level
  readonly from: number
  readonly count: number
  /** The guard to take out of the product (see `mutants.ts`); then only the harm that it prevents is looked for. */
  readonly without?: string
  /** Whether a failure is shrunk, which takes some hundred schedules more. */
  readonly shrinks: boolean
}

/** A schedule that did not end well. */
export interface Failure extends Outcome {
  readonly level: Level
  readonly plan: Plan
  /** How many events there were in it at first. */
  readonly eventsAtFirst: number
  readonly trace: readonly string[]
  readonly without?: string
}

export interface RunOptions {
  /** What the faults of a failure have to say. */
  readonly harm?: RegExp
  /** Called after each schedule. */
  readonly onSchedule?: () => void
}

/** Turns that are put into the queue of the event loop at a time: between any two all that follows from one happens. */
const TURNS = 32

/** Runs one schedule to its end, or to where it cannot go on. The sandbox must be installed. */
export async function runSchedule(level: Level, plan: Plan, trace?: Trace): Promise<Outcome> {
  const workload = level === 'log' ? LOG_WORKLOAD : handlerWorkload(plan.seed)
  const world = new World(plan, workload, trace)
  const script = new Script(world).run()
  const unfinished = await new Promise<readonly string[]>((resolve) => {
    let isOver = false
    const turn = (): void => {
      if (isOver) return
      try {
        isOver = script.next().done === true
        if (isOver) resolve([])
      } catch (error) {
        isOver = true
        resolve([...world.surprises, String(error)])
      }
    }
    const turns = (): void => {
      for (let i = 0; i < TURNS; i++) setImmediate(turn)
      if (!isOver) setImmediate(turns)
    }
    turns()
  })
  const faults = unfinished.length > 0 ? unfinished : await faultsAtEnd(world)
  return { faults, events: world.events.happened, steps: world.schedule.steps }
}

async function faultsAtEnd(world: World): Promise<string[]> {
  const { plan, workload, bucket, lambda, processes, kills } = world
  const { slices, instances } = lambda
  const isEnough = slices >= FLOOR.slices && instances + processes >= FLOOR.processes && kills >= FLOOR.kills
  const thin = isEnough || plan.isShort === true ? [] : [`a schedule of ${slices} slices and ${kills} kills is none`]
  for (const table of world.tables) await table.read(bucket)
  return [...thin, ...faultsOf(world, await workload.read(bucket)), ...(await workload.verify(bucket))]
}

/** Runs schedules until one fails, and tells what happens in that one. */
export async function firstFailure(
  run: Run,
  { harm = /^/, onSchedule }: RunOptions = {},
): Promise<Failure | undefined> {
  const { level, from, count, without, shrinks } = run
  const fails = ({ faults }: Outcome): boolean => faults.some((fault) => harm.test(fault))
  for (let seed = from; seed < from + count; seed++) {
    const first = await runSchedule(level, { seed })
    onSchedule?.()
    if (!fails(first)) continue
    const failing = { plan: { seed }, outcome: first }
    const retry = (trial: Plan): Promise<Outcome> => runSchedule(level, trial)
    const { plan, outcome } = shrinks ? await shrunk(failing, retry, fails) : failing
    const trace = new Trace()
    await runSchedule(level, plan, trace)
    const failure = { level, plan, ...outcome, eventsAtFirst: first.events.length, trace: trace.lines }
    return without === undefined ? failure : { ...failure, without }
  }
  return undefined
}

/** A failure in words, with all that is needed to look into it. */
export function describeFailure({ level, plan, faults, events, eventsAtFirst, trace, without }: Failure): string {
  const { seed, masked = [], offsets, isShort } = plan
  const options = [
    level === 'handler' ? ' --handler' : '',
    isShort === true ? ' --short' : '',
    offsets === undefined ? '' : ` --offsets ${offsets}`,
    masked.length === 0 ? '' : ` --without-events ${maskText(masked)}`,
    without === undefined ? '' : ` --without "${without}"`,
  ]
  return [
    `seed ${seed}, with ${events.length} of its ${eventsAtFirst} events:`,
    ...faults.map((fault) => `- ${fault}`),
    '',
    ...trace,
    '',
    `Again: node test/helpers/simulation/replay.ts ${seed}${options.join('')}`,
  ].join('\n')
}

/** Makes this thread one in which schedules can run. */
export const install = installSandbox
