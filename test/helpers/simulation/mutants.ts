import type { Edit } from './mutated-modules.ts'
import type { Level } from './runs.ts'

/** The product with one of its guards taken out, and what must come of it. */
export interface Mutant {
  readonly guard: string
  readonly level: Level
  /** What the faults of some schedule have to say. */
  readonly harm: RegExp
  readonly edits: readonly Edit[]
}

const LOST = /is lost/
const TWICE = /settled before|is in flights 2 times/
const NOT_IN_TABLE = /is in flights 0 times/
const DELETED = /names a deleted file/

const COMMIT_LOG = 'shared/lake/commit-log.ts'
const LOG_STORE = 'shared/lake/log-store.ts'
const FOLLOWER = 'shared/lake/log-follower.ts'
const COMMITTER = 'shared/lake/committer.ts'
const VACUUM = 'shared/lake/vacuum.ts'
const S3_STORE = 'shared/lake/s3-store.ts'
const EPOCHS = 'shared/lake/epochs.ts'
const RESPONSE = 'shared/pipeline/batch-response.ts'
const SCORE_ROWS = 'shared/pipeline/score-rows.ts'
const RESCORE = 'shared/lake/rescore/rescore.ts'
const PROCESS_BATCH = 'shared/pipeline/process-batch.ts'

export const MUTANTS: readonly Mutant[] = [
  mutant('put-if-absent is exclusive', LOST, S3_STORE, [", IfNoneMatch: '*' })", ' })']),
  mutant('412 alone says that a key is taken', /cannot be read/, S3_STORE, [
    'if (statusOf(error) === 412) return',
    'if (statusOf(error) !== 409) return',
  ]),
  mutant('a commit begins where the one before it ends', TWICE, COMMIT_LOG, [
    'start: commit === undefined ? 0 : commit.end + 1 }',
    'start: rest[0].offset }',
  ]),
  mutant('a gap within a commit is not known', LOST, COMMIT_LOG, [
    'requireFitsGap(record, commit, wayOut)\n      return true',
    'requireFitsGap(record, commit, wayOut)\n      return record.offset < commit.covered[0]?.[0]',
  ]),
  mutant('the verdict of the newest amendment counts', TWICE, COMMIT_LOG, [
    '[...amendments].reverse().concat(commit)',
    '[commit, ...amendments]',
  ]),
  mutant('a redrive takes only what was rejected last', TWICE, COMMIT_LOG, [
    "mode === 'redrive' && inRanges(record.offset, verdict.rejected)",
    "mode === 'redrive'",
  ]),
  mutant('a redrive does take what was rejected', /still open/, COMMIT_LOG, [
    "mode === 'redrive' && inRanges(record.offset, verdict.rejected)",
    'false',
  ]),
  mutant('a warm writer asks the store about offsets before its newest commit', TWICE, COMMIT_LOG, [
    'offset >= this.#newest.start',
    'true',
  ]),
  mutant('a warm writer that loses a race asks the store', /in circles/, COMMIT_LOG, [
    'this.#newest = entry\n',
    'this.#newest = entry ?? this.#newest\n',
  ]),
  mutant('a key that is taken is a lost race', LOST, LOG_STORE, [
    '(await this.#read(key)).attempt === entry.attempt',
    'true',
  ]),
  mutant('a key that the very attempt has taken is no lost race', /made 1 entries and reports 0/, LOG_STORE, [
    '(await this.#read(key)).attempt === entry.attempt',
    'false',
  ]),
  mutant(
    'files are written anew after a lost race',
    DELETED,
    COMMIT_LOG,
    ['class CommitLog implements SliceLog {', 'class CommitLog implements SliceLog {\n  kept = new Map()'],
    [
      'const content = await write(records, attempt)',
      `const offsets = records.map(({ offset }) => offset).join()
       const content = this.kept.get(offsets) ?? (await write(records, attempt))
       this.kept.set(offsets, content)`,
    ],
  ),
  mutant(
    'files are there before the entry that names them',
    /named a file that was not there|deleted file/,
    COMMIT_LOG,
    ['await this.#store.put(key, file.body)', 'this.#store.put(key, file.body).catch(() => {})'],
  ),
  mutant(
    'the marker is put before the amendment',
    NOT_IN_TABLE,
    COMMIT_LOG,
    ['await this.#log.putMarker(table, place)', 'later.push(() => this.#log.putMarker(table, place))'],
    ["if (place.kind === 'amendment') {", "const later = []\n    if (place.kind === 'amendment') {"],
    [
      'return (await this.#log.append(place, entry)) ? entry : undefined\n  }\n\n  #begin(',
      'const isOurs = await this.#log.append(place, entry)\n    for (const put of later) await put()\n    return isOurs ? entry : undefined\n  }\n\n  #begin(',
    ],
  ),
  mutant(
    'every table that an amendment touches gets a marker',
    /flights_dead_letters has followed|flights_dead_letters names/,
    COMMIT_LOG,
    ['new Set(content.files.map((file) => file.table))', 'content.files.slice(0, 1).map((file) => file.table)'],
  ),
  mutant('a marker stays until its amendment is counted', NOT_IN_TABLE, FOLLOWER, [
    'if ((marks.amended[marker.amends] ?? 0) > marker.number) await',
    'await',
  ]),
  mutant('marks of amendments are never dropped', TWICE, FOLLOWER, ['{ ...marks.amended }', '{}']),
  mutant('a committer compares and swaps', NOT_IN_TABLE, 'test/helpers/simulation/memory-table.ts', [
    'if (this.current !== expected) return false\n',
    '',
  ]),
  mutant('a vacuum leaves files whose place is free', DELETED, VACUUM, [
    'entry === undefined || names(entry, key)',
    'entry !== undefined && names(entry, key)',
  ]),
  mutant('a vacuum leaves files that are named', DELETED, VACUUM, [
    'entry === undefined || names(entry, key)',
    'entry === undefined',
  ]),
  mutant('a vacuum leaves files of others', /not of Inlet/, VACUUM, [
    'if (written === undefined || candidates === undefined) return false',
    'if (!candidates) return true',
  ]),
  mutant('a vacuum deletes the rest', /has left/, VACUUM, ['if (!dryRun) await', 'if (dryRun) await']),
  mutant('a log is sealed before the next epoch begins', /is lost|settled before|times, not 1/, EPOCHS, [
    'await new CommitLog(store, id).seal()',
    '{ start: 1 }',
  ]),
  mutant('a writer at work on a sealed log stops', LOST, COMMIT_LOG, [
    "if (mode === 'deliver') await this.#requireNotSealed(commit)",
    '',
  ]),
  mutant('a record that is covered is compared', LOST, COMMIT_LOG, [
    'requireSameRecord(record, verdict, wayOut)\n',
    '',
  ]),
  mutant('a record for a gap is compared', LOST, COMMIT_LOG, ['requireFitsGap(record, commit, wayOut)\n', '']),
  mutant('a log whose epoch has ended is looked up again', /keeps to an epoch/, 'shared/lake/lake.ts', [
    'this.#log = undefined\n      throw',
    'throw',
  ]),
  mutant('a partial response names every record of a slice that failed', LOST, RESPONSE, [
    ': records.map(({ offset })',
    ': records.slice(0, 1).map(({ offset })',
  ]),
  mutant('a partial response names the lowest record of a slice that failed', LOST, RESPONSE, [
    ': records.map(({ offset })',
    ': records.slice(1).map(({ offset })',
  ]),
  mutant('a partial response names each slice that failed', LOST, RESPONSE, [
    'reports[i]?.error === null',
    'reports[0]?.error === null',
  ]),
  mutant('an answer waits for what was begun', LOST, PROCESS_BATCH, [
    'return sliceReport(slice, await log.land(slice.records, write), null)',
    'log.land(slice.records, write).catch(() => {})\n    return sliceReport(slice, NOTHING, null)',
  ]),
  mutant('a schedule that comes to little is given more records', /is none$/, 'test/helpers/simulation/script.ts', [
    'if (isEnough || plan.isShort === true) return false',
    'return false',
  ]),
  ofHandler('a failed batch is kept until all of it is durable', LOST, 'shared/runtimes/failed-batches.ts', [
    "if (error !== undefined) return { key, because: 'failed', reason: error.message }\n",
    '',
  ]),
  ofHandler('rows say which epoch they are of', / at p\d@\d/, PROCESS_BATCH, [
    'tabulate(records, flow, attempt.epoch)',
    'tabulate(records, flow, 0)',
  ]),
  ofHandler('an entry with rows that wait is marked before it is put', /waits for its score for ever/, COMMIT_LOG, [
    'if (defersScores(content)) await this.#log.putWaiting(place)\n    return (await this.#log.append(place, entry)) ? entry : undefined\n  }\n\n  #begin(',
    'return (await this.#log.append(place, entry)) ? entry : undefined\n  }\n\n  #begin(',
  ]),
  ofHandler('a marker stays as long as a row waits', /waits for its score for ever/, RESCORE, [
    'if (isWhole && !isWaiting)',
    'if (isWhole)',
  ]),
  ofHandler('each row has its own score', /has the score of another/, SCORE_ROWS, [
    'verdicts[n] as Verdict',
    '(verdicts[n + 1] ?? verdicts[n]) as Verdict',
  ]),
  ofHandler('an Iceberg table names its marks with its files', TWICE, COMMITTER, [
    'withProperties(grown, { [MARKS_PROPERTY]: key }, change.now)',
    'grown',
  ]),
  ofHandler(
    'a version of an Iceberg table is put if absent',
    /in flights 0 times|catalog has another/,
    'shared/lake/iceberg/directory-catalog.ts',
    ["(await this.#store.putIfAbsent(key, body)) === 'taken'", 'void (await this.#store.put(key, body))'],
  ),
]

/** Copies of the modules in which nothing is changed: what mutants do is not the doing of copies. */
export const CONTROL: Mutant = { guard: 'nothing', level: 'log', harm: /^/, edits: [] }

export function mutantWithout(guard: string): Mutant {
  const found = [...MUTANTS, CONTROL].find((candidate) => candidate.guard === guard)
  if (found === undefined) throw new Error(`there is no mutant without "${guard}"`)
  return found
}

function mutant(guard: string, harm: RegExp, file: string, ...edits: (readonly [string, string])[]): Mutant {
  return { guard, level: 'log', harm, edits: edits.map(([passage, replacement]) => ({ file, passage, replacement })) }
}

/** Of what only the whole handler has. */
function ofHandler(...mutated: Parameters<typeof mutant>): Mutant {
  return { ...mutant(...mutated), level: 'handler' }
}
