/**
 * Each guard of the commit log, of its followers and of the vacuum is taken out in turn, and random schedules must show
 * the very harm that it prevents: a check that nothing can fail proves nothing.
 */
import { CONTROL, MUTANTS } from '#test/helpers/simulation/mutants.ts'
import { describeFailure, firstFailureInThread } from '#test/helpers/simulation/runs.ts'
import { withMutant } from '#test/helpers/simulation/source-mutant.ts'

/** The rarest harm shows in one schedule of twenty. */
const ENOUGH = 1000
const MINUTES = 60_000

test.each(MUTANTS)(
  'without "$guard" schedules end in $harm',
  async ({ guard }) => {
    const failure = await firstFailureInThread({ from: 1, count: ENOUGH, without: guard })
    expect(failure).toBeDefined()
  },
  5 * MINUTES,
)

test('a copy in which nothing is changed does no harm', async () => {
  expect(await firstFailureInThread({ from: 1, count: 100, without: CONTROL.guard })).toBeUndefined()
})

test('a failure tells its seed, its faults and all that happened, and happens again', async () => {
  const run = { from: 1, count: ENOUGH, without: 'the marker is put before the amendment' }
  const failure = await firstFailureInThread(run)
  const text = failure === undefined ? '' : describeFailure(failure)
  expect(text).toMatch(/^seed \d+:\n- .* is in flights 0 times/)
  expect(text).toMatch(/\nfunction \d+ +gets a batch of p0 to deliver, deployed: \d/)
  expect(text).toMatch(/\nfunction \d+ +putIfAbsent +p0 commit \d+ +created\n/)
  expect(text).toMatch(`node test/helpers/simulation/replay.ts ${failure?.seed}`)
  expect(await firstFailureInThread({ ...run, from: failure?.seed ?? 0, count: 1 })).toEqual(failure)
})

test('a mutant whose passage is not in the source, or more than once, is refused', async () => {
  const load = (): Promise<never> => Promise.reject(new Error('it was loaded'))
  await expect(withMutant('vacuum.ts', [['no such passage', '']], load)).rejects.toThrow('has 0 times, not once')
  await expect(withMutant('vacuum.ts', [['return', '']], load)).rejects.toThrow(/has \d+ times, not once/)
})
