/**
 * The commit log is right whatever happens, in what order it may happen, and wherever it stops.
 *
 * A schedule is a small world that a seed decides down to the last call: two logs (of two Kafka partitions, or of one
 * whose offsets started again), triggers that deliver their records, function instances (warm ones too, and zombies)
 * that land what they get, redrives, committers that move the logs into two tables, and vacuums. They run the product's
 * code on an S3-like store in memory. Each of them waits before each of its calls; one after another is picked and let
 * through. So calls interleave in every order; a call may be refused, done without an answer, done late or done twice;
 * and whoever is never picked again was killed right there.
 *
 * When all is delivered and redriven, whatever the schedule, there must hold (`faults.ts`):
 * - each record is in the table of rows once, or was counted as skipped; none is lost and none is there twice;
 * - the commits form one chain, and no offset is settled by two entries;
 * - no entry contradicts itself, and each names files that exist and hold exactly its records;
 * - both tables name exactly the files that the logs name, each once, and no marker is left that has been counted;
 * - what a landing reported is what it did;
 * - of the files that nobody names, the vacuum has left only those whose place in the log is still free.
 *
 * `commit-log-mutants.test.ts` shows that these schedules notice when a guard is missing.
 */
import { availableParallelism } from 'node:os'
import { PRODUCT } from '#test/helpers/simulation/parts.ts'
import { describeFailure, firstFailureInThread, runSchedule } from '#test/helpers/simulation/runs.ts'
import { Trace } from '#test/helpers/simulation/trace.ts'

const SCHEDULES = 5000
const MINUTES = 60_000

test(
  `${SCHEDULES} schedules end with every record in its place, once`,
  async () => {
    const threads = Math.min(availableParallelism(), 4)
    const count = Math.ceil(SCHEDULES / threads)
    const runs = Array.from({ length: threads }, (_, i) => ({ from: 1 + i * count, count }))
    const failures = await Promise.all(runs.map(firstFailureInThread))
    expect(failures.flatMap((failure) => (failure === undefined ? [] : describeFailure(failure))).join('\n\n')).toBe('')
  },
  10 * MINUTES,
)

test('a seed decides all that happens', async () => {
  const [once, again, other] = [new Trace(), new Trace(), new Trace()]
  await runSchedule(1, PRODUCT, once)
  await runSchedule(1, PRODUCT, again)
  await runSchedule(2, PRODUCT, other)
  expect(again.lines).toEqual(once.lines)
  expect(other.lines).not.toEqual(once.lines)
})

test('everything happens that can', async () => {
  const lines: string[] = []
  for (let seed = 1; seed <= 50; seed++) {
    const trace = new Trace()
    await runSchedule(seed, PRODUCT, trace)
    lines.push(...trace.lines)
  }
  const times = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length
  const seen = Object.fromEntries(Object.entries(HAPPENINGS).map(([what, pattern]) => [what, times(pattern)]))
  const rare = Object.entries(seen).filter(([, often]) => often < 5)
  expect(rare).toEqual([])
})

/** Things that the schedules have to be full of, and the lines of a trace that tell of them. */
const HAPPENINGS = {
  'a function is killed': /^function.*is killed/,
  'a committer is killed': /^committer.*is killed/,
  'a vacuum is killed': /^vacuum.*is killed/,
  'a partition is handed over while the function goes on': /handOver/,
  'a batch goes to the failure destination': /discard/,
  'a batch is bisected': /bisect/,
  'a half is delivered': /gets a half/,
  'records are delivered again out of nowhere': /gets a stray/,
  'filtered records are replayed': /gets a replay/,
  'a redrive comes before the fix': /to redrive, deployed/,
  'a redrive comes after the fix': /to redrive, fixed/,
  'a commit collides': /putIfAbsent.* commit \d+ +taken/,
  'an amendment collides': /putIfAbsent.* amendment \d+\.\d+ +taken/,
  'a commit is amended more than once': /putIfAbsent.* amendment \d+\.[1-9]\d* +created/,
  'a put-if-absent that worked is sent again': /putIfAbsent.* taken \(sent twice\)/,
  'a put-if-absent works but its answer is lost': /putIfAbsent.* answer lost/,
  'a put-if-absent arrives late': /putIfAbsent.* late/,
  'a put of a marker arrives late or is refused': /put .* marker .* (late|refused)/,
  'a committer loses the swap': /swap .* false/,
  'the answer to a swap is lost, or it is done late': /swap .* (answer lost|late)/,
  'a marker is deleted': /delete .* marker/,
  'a vacuum deletes a file': /^vacuum.* delete/,
  'a list cannot be read': /list .* refused/,
}
