import { Random } from './random.ts'
import type { Plan } from './world.ts'

/** What came of a plan. */
export interface Outcome {
  readonly faults: readonly string[]
  /** Ordinals of the events that happened. */
  readonly events: readonly number[]
  /** Calls that were made. */
  readonly steps: number
}

/** A plan that fails, and what comes of it. */
export interface Failing {
  readonly plan: Plan
  readonly outcome: Outcome
}

/** Trials at the most: a smaller schedule is worth some time, not any. */
const MOST_TRIALS = 300
const FEW_OFFSETS = [1, 2, 3, 5, 8]

/**
 * A schedule that fails too with less in it: with few records, and with fewer and fewer of its events. What is left out
 * changes what comes after it, so that each trial is a schedule of its own; those that still fail are gone on with.
 * @param run runs a plan
 * @param fails whether what comes of it is the failure
 */
export async function shrunk(
  failing: Failing,
  run: (plan: Plan) => Promise<Outcome>,
  fails: (outcome: Outcome) => boolean,
): Promise<Failing> {
  let trials = 0
  let best = failing
  const better = async (plan: Plan): Promise<boolean> => {
    if (trials++ >= MOST_TRIALS) return false
    const outcome = await run(plan)
    const [more, steps] = [outcome.events.length - best.outcome.events.length, outcome.steps - best.outcome.steps]
    const isSmaller = more < 0 || (more === 0 && steps <= 0)
    if (!isSmaller || !fails(outcome)) return false
    best = { plan, outcome }
    return true
  }
  await better({ ...best.plan, isShort: true })
  for (const offsets of FEW_OFFSETS) if (await better({ ...best.plan, offsets })) break
  await fewerEvents(() => best, better)
  await otherEvents(
    () => best,
    better,
    () => trials < MOST_TRIALS,
  )
  return best
}

/** Leaves out events, half of them first, then ever smaller pieces, as long as what is left still fails. */
async function fewerEvents(best: () => Failing, better: (plan: Plan) => Promise<boolean>): Promise<void> {
  for (let size = Math.ceil(best().outcome.events.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best().outcome.events.length; ) {
      const { plan, outcome } = best()
      const masked = [...(plan.masked ?? []), ...outcome.events.slice(at, at + size)].sort((a, b) => a - b)
      if (!(await better({ ...plan, masked }))) at += size
    }
  }
}

/** Leaves out events at random: where nothing smaller can be reached one by one, something else may fail as well. */
async function otherEvents(
  best: () => Failing,
  better: (plan: Plan) => Promise<boolean>,
  mayGoOn: () => boolean,
): Promise<void> {
  const random = new Random(best().plan.seed)
  while (mayGoOn() && best().outcome.events.length > 1) {
    const { plan, outcome } = best()
    const some = outcome.events.filter(() => random.chance(0.5))
    await better({ ...plan, masked: [...(plan.masked ?? []), ...some].sort((a, b) => a - b) })
  }
}

/** Ordinals in few words: `0-4,7`. */
export function maskText(masked: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const ordinal of masked) {
    const last = ranges.at(-1)
    if (last !== undefined && ordinal <= last[1] + 1) last[1] = ordinal
    else ranges.push([ordinal, ordinal])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

/** @throws RangeError for what is not `maskText`'s */
export function parseMask(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}
