/**
 * Each guard of the product is taken out in turn, and random schedules must show the very harm that it prevents: a check
 * that nothing can fail proves nothing.
 */
import { exec } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { edited } from '#test/helpers/simulation/mutated-modules.ts'
import { CONTROL, MUTANTS } from '#test/helpers/simulation/mutants.ts'
import { describeFailure, type Failure } from '#test/helpers/simulation/runs.ts'
import { failuresOf } from '#test/helpers/simulation/threads.ts'

const ENOUGH = 1000
/** Some of the failures are shrunk; all would take as long again. */
const SHRINK_EVERY = 6
const MINUTES = 60_000

const failures = new Map<string, Failure | undefined>()

beforeAll(async () => {
  const runs = MUTANTS.map(({ guard, level }, i) => {
    return { level, from: 1, count: ENOUGH, without: guard, shrinks: i % SHRINK_EVERY === 0 }
  })
  const control = { level: 'log', from: 1, count: 100, without: CONTROL.guard, shrinks: false } as const
  const found = await failuresOf([...runs, control], { threads: availableParallelism() })
  for (const [i, { without }] of [...runs, control].entries()) failures.set(without, found[i])
}, 10 * MINUTES)

test.each(MUTANTS)('without "$guard" schedules end in $harm', ({ guard, harm }) => {
  const failure = failures.get(guard)
  expect(failure?.faults.join('\n')).toMatch(harm)
})

test('copies of the modules in which nothing is changed do no harm', () => {
  expect(failures.has(CONTROL.guard)).toBe(true)
  expect(failures.get(CONTROL.guard)).toBeUndefined()
})

test('a failure is shrunk', () => {
  const shrunk = [...failures.values()]
    .filter((_, i) => i % SHRINK_EVERY === 0)
    .filter((failure) => failure !== undefined)
  const sum = (of: (failure: Failure) => number): number => shrunk.reduce((total, failure) => total + of(failure), 0)
  expect(sum(({ events }) => events.length)).toBeLessThan(sum(({ eventsAtFirst }) => eventsAtFirst) / 2)
})

test('a failure tells its seed, its faults and all that happens, and how to see it again', () => {
  const failure = failures.get(MUTANTS[0]?.guard ?? '') as Failure
  const text = describeFailure(failure)
  expect(text).toMatch(/^seed \d+, with \d+ of its \d+ events:\n- /)
  expect(text).toMatch(/\nfunction \d+ +gets a batch of p\d: \d/)
  expect(text).toMatch(/\nfunction \d+ +put\w* +p\d commit \d+ +done\n/)
  expect(text).toContain(`node test/helpers/simulation/replay.ts ${failure.plan.seed} --`)
})

test('a failure happens again when it is asked for', async () => {
  const failure = failures.get(MUTANTS[0]?.guard ?? '') as Failure
  const command = describeFailure(failure).split('Again: ')[1] ?? ''
  const { stdout } = await promisify(exec)(command)
  expect(stdout.trimEnd().split('\n')).toEqual([...failure.trace, '', ...failure.faults])
})

test('a mutant whose passage is not in the source, or more than once, is refused', () => {
  const edit = { file: 'vacuum.ts', passage: 'return', replacement: 'throw' }
  expect(edited('a return b', edit)).toBe('a throw b')
  expect(() => edited('a b', edit)).toThrow('vacuum.ts has 0 times, not once:\nreturn')
  expect(() => edited('return a return', edit)).toThrow('has 2 times, not once')
})
