/**
 * The whole handler is right whatever happens: the schedules of `commit-log-schedules.test.ts`, but that instances run
 * `lambdaHandler` with a pipeline of contracts, and redrives `redriveHandler`; several slices, and several files of a slice,
 * are written at a time. Some have Iceberg tables, and some of these scores, whose endpoint is away now and then: rows that wait
 * are scored while all else goes on. What must hold is judged on the data files themselves, read back by another reader; and `verify`
 * finds nothing.
 */
import { availableParallelism } from 'node:os'
import { describeFailure } from '#test/helpers/simulation/runs.ts'
import { failuresOf, inPieces, tracesOf } from '#test/helpers/simulation/threads.ts'

const SCHEDULES = 2000
const MINUTES = 60_000

test(
  `${SCHEDULES} schedules end with every record in its place`,
  async () => {
    const runs = inPieces({ level: 'handler', from: 1, count: SCHEDULES, shrinks: true }, 50)
    const failures = await failuresOf(runs, { threads: availableParallelism(), stopsAtFailure: true })
    expect(failures.flatMap((failure) => (failure === undefined ? [] : describeFailure(failure))).join('\n\n')).toBe('')
  },
  20 * MINUTES,
)

test('a seed decides all that happens', async () => {
  const [forwards, backwards] = await Promise.all([tracesOf('handler', [5, 6]), tracesOf('handler', [6, 5])])
  expect(backwards.toReversed()).toEqual(forwards)
})
