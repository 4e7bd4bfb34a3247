/**
 * The commit log is right whatever happens, in what order it may happen, and wherever it stops.
 *
 * A schedule is a small world that a seed decides down to the last call: a topic with one to three partitions, which may be
 * created anew; Lambda's event source mapping, which delivers it, retries, splits, gives up, is scaled, set back and
 * deployed anew with another filter; instances of a function (warm ones too, and zombies), in three versions, that land what
 * they get; redrives, the operator who begins the next epoch, committers that move the logs into two tables, and vacuums.
 * They run the product's code on S3 stores whose client talks to a bucket in memory. Each call waits until it is picked,
 * one after another, so that they interleave in every order; it may be refused, done without an answer, done late, done
 * twice, or be slow; clocks jump; and whoever is killed never goes on.
 *
 * When all is delivered and redriven, whatever the schedule, there must hold (`faults.ts`):
 * - each record is in the table of rows as often as it should be, or was counted as skipped, or is refused for ever; none is
 *   lost and none is there twice;
 * - the commits of each log form one chain, and no offset is settled by two entries;
 * - no entry contradicts itself, and each names files that exist and hold exactly what its version makes of its records;
 * - both tables name exactly the files that the logs name, each once, and never named one that was not there; no marker is
 *   left that has been counted;
 * - what a landing reported is what it did;
 * - of the files that nobody names, the vacuum has left only those whose place in the log is still free.
 *
 * `commit-log-mutants.test.ts` shows that these schedules notice when a guard is missing.
 */
import { availableParallelism } from 'node:os'
import { describeFailure } from '#test/helpers/simulation/runs.ts'
import { failuresOf, inPieces, tracesOf } from '#test/helpers/simulation/threads.ts'

const SCHEDULES = 50_000
const MINUTES = 60_000

test(
  `${SCHEDULES} schedules end with every record in its place`,
  async () => {
    const runs = inPieces({ level: 'log', from: 1, count: SCHEDULES, shrinks: true }, 500)
    const failures = await failuresOf(runs, { threads: availableParallelism(), stopsAtFailure: true })
    expect(failures.flatMap((failure) => (failure === undefined ? [] : describeFailure(failure))).join('\n\n')).toBe('')
  },
  20 * MINUTES,
)

test('a seed decides all that happens', async () => {
  const [forwards, backwards] = await Promise.all([tracesOf('log', [1, 2, 3]), tracesOf('log', [3, 2, 1])])
  expect(backwards.toReversed()).toEqual(forwards)
  expect(forwards[0]).not.toEqual(forwards[1])
})

test('everything happens that can', async () => {
  const lines = (
    await tracesOf(
      'log',
      Array.from({ length: 300 }, (_, i) => i + 1),
    )
  ).flat()
  const times = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length
  const seen = Object.fromEntries(Object.entries(HAPPENINGS).map(([what, pattern]) => [what, times(pattern)]))
  const rare = Object.entries(seen).filter(([, often]) => often < 5)
  expect(rare).toEqual([])
})

/** Things that the schedules have to be full of, and the lines of a trace that tell of them. */
const HAPPENINGS = {
  'a function is killed': /^function.*is killed/,
  'a redrive is killed': /^redrive.*is killed/,
  'a committer is killed': /^committer.*is killed/,
  'a vacuum is killed': /^vacuum.*is killed/,
  'an operator is killed': /^operator.*is killed/,
  'a partition is handed over': /another poller takes/,
  'a partition is set back': /is set back to/,
  'there are more pollers': /there are 2 pollers/,
  'a mapping begins with a filter': /begins:.*a filter/,
  'a mapping takes partial responses': /begins:.*partial responses/,
  'a mapping splits batches': /begins:.*bisects/,
  'a batch is given up': /gives up/,
  'a batch is of several partitions': /gets a batch of p\d.*, p\d/,
  'a function has no room': /no room/,
  'the function is deployed anew': /has version [12]/,
  'the topic is created anew': /deleted and created anew/,
  'an epoch begins': /putIfAbsent.*epochs.* done/,
  'records of an epoch that is over are refused': /OFFSETS_RESTARTED|EPOCH_ENDED/,
  'records are delivered again out of nowhere': /gets a stray/,
  'filtered records are replayed': /gets a replay/,
  'dead letters are redriven': /gets a redrive of dead letters/,
  'failed batches are redriven': /gets a redrive of failed batches/,
  'a commit collides': /putIfAbsent.* commit \d+ +412/,
  'an amendment collides': /putIfAbsent.* amendment \d+\.\d+ +412/,
  'a commit is amended more than once': /putIfAbsent.* amendment \d+\.[1-9]\d* +done/,
  'a put-if-absent that worked is sent again': /putIfAbsent.* 412 \(sent twice\)/,
  'a put-if-absent works but its answer is lost': /putIfAbsent.* answer lost/,
  'a put-if-absent works but its answer is 500': /putIfAbsent.* failed when done/,
  'a put-if-absent arrives late': /putIfAbsent.* late/,
  'a put-if-absent meets a conflict and is tried again': /putIfAbsent.* conflict/,
  'a put of a marker arrives late or is refused': /put .* marker .* (late|refused|broken)/,
  'an answer breaks off': /get .* breaks off/,
  'a store is overloaded': /is overloaded/,
  'a call takes too long': /it took more than/,
  'a clock jumps': /finds its clock/,
  'a committer loses the swap': /swap .* false/,
  'the answer to a swap is lost, or it is done late': /swap .* (answer lost|late)/,
  'a marker is deleted': /delete .* marker/,
  'a vacuum deletes a file': /^vacuum.* delete/,
}
