/**
 * Rows between the transform and their files: each is given its score, or none, for a reason. A row is never lost, or refused,
 * for want of one.
 */
import { type OffsetRange, rangesOf, type ScoreCounts } from './commit.ts'
import { InletError } from './errors.ts'
import type { Flow } from './flow.ts'
import type { Outcome, Row } from './outcome.ts'
import type { RecordPath } from './record-path.ts'
import { type KafkaRecord, positionOf } from './record.ts'
import type { Score } from './score.ts'
import { CsvText } from './score-codec.ts'
import type { Scorer, Verdict } from './scorer.ts'

/** What scoring works with. */
export interface ScoringOptions {
  readonly scorer: Scorer
  /** Aborted when the time for scoring is over: what has no score by then is unavailable. */
  readonly signal: AbortSignal
}

/** Records whose rows have been given their scores. */
export interface ScoredRecords {
  /** What has become of each of the records. */
  readonly path: RecordPath
  /** By score. @param rejected offsets of records that became dead letters all the same */
  counts(rejected: readonly number[]): Readonly<Record<string, ScoreCounts>>
}

/** A row has its score, has none for a reason, waits for it, or is not to have one. */
export type Settlement =
  | { readonly kind: 'scored' }
  | { readonly kind: 'unneeded' }
  | { readonly kind: 'unscored'; readonly reason: string }
  | { readonly kind: 'waiting'; readonly reason: string }

/**
 * Takes records down the record path, and gives their rows scores.
 * @returns undefined for a pipeline without scores, whose records become rows while they are tabulated
 * @throws InletError SCORE_UNAVAILABLE when an endpoint is away whose score says that the slice fails then
 */
export async function scoredRecords(
  records: readonly KafkaRecord[],
  { pipeline: { scores }, recordPath: path }: Flow,
  { scorer, signal }: ScoringOptions,
): Promise<ScoredRecords | undefined> {
  if (scores.length === 0) return undefined
  const outcomes: Outcome[] = []
  const rows: Row[] = []
  /** The record of each row, by its place. */
  const places: number[] = []
  for (const [place, record] of records.entries()) {
    const outcome = path(record)
    outcomes.push(outcome)
    if (outcome.kind !== 'written' || record.value === null) continue
    for (const { row } of outcome.rows) {
      rows.push(row)
      places.push(place)
    }
  }
  const recordOf = (row: number): KafkaRecord => records[places[row] as number] as KafkaRecord
  const settled = new Map<string, readonly Settlement[]>()
  for (const score of scores) {
    const settlements = await scoreRows(score, rows, { scorer, signal })
    requireAvailable(score, recordOf, settlements)
    settled.set(score.name, settlements)
  }
  let next = 0
  return {
    path(record) {
      if (records[next] !== record)
        throw new InletError('UNEXPECTED', `${positionOf(record)} was not scored in its turn`)
      return outcomes[next++] as Outcome
    },
    counts: (rejected) => {
      const dead = new Set(rejected)
      const landed = (row: number): number | undefined => {
        const { offset } = recordOf(row)
        return dead.has(offset) ? undefined : offset
      }
      return Object.fromEntries([...settled].map(([name, some]) => [name, countsOf(some, landed)]))
    },
  }
}

const UNNEEDED: Settlement = { kind: 'unneeded' }
const SCORED: Settlement = { kind: 'scored' }

/**
 * Gives rows one score: its columns are written, whatever was there.
 * @param known another row, which has that score
 * @returns what became of each
 */
export async function scoreRows(
  score: Score,
  rows: readonly Row[],
  { scorer, signal }: ScoringOptions,
  known?: Row,
): Promise<readonly Settlement[]> {
  const settlements = rows.map((): Settlement => UNNEEDED)
  const asked: number[] = []
  const features: unknown[] = []
  for (const [i, row] of rows.entries()) {
    clear(row, score)
    try {
      const of = score.features(row as never)
      if (of === null) continue
      asked.push(i)
      features.push(of)
    } catch {
      settlements[i] = settle(row, score, { kind: 'unscored', reason: 'FEATURES_INVALID' })
    }
  }
  const verdicts = features.length === 0 ? [] : await scorer.score(score, features, signal, featuresOf(known, score))
  for (let n = 0; n < asked.length; n++) {
    const i = asked[n] as number
    settlements[i] = settle(rows[i] as Row, score, verdicts[n] as Verdict)
  }
  return settlements
}

function featuresOf(row: Row | undefined, score: Score): unknown {
  try {
    return row === undefined ? undefined : (score.features(row as never) ?? undefined)
  } catch {
    return undefined
  }
}

function clear(row: Row, { into, modelVersionInto, reasonInto }: Score): void {
  for (const { column } of into) row[column] = null
  if (modelVersionInto !== null) row[modelVersionInto] = null
  if (reasonInto !== null) row[reasonInto] = null
}

/** Writes what was said of a row into it. All of a prediction fits its columns, or none of it is taken. */
function settle(row: Row, score: Score, verdict: Verdict): Settlement {
  if (verdict.kind === 'predicted') {
    const values = valuesOf(verdict.prediction, score)
    if (values === undefined) return settle(row, score, { kind: 'unscored', reason: 'PREDICTION_INVALID' })
    for (const [i, { column }] of score.into.entries()) row[column] = values[i]
    if (score.modelVersionInto !== null) row[score.modelVersionInto] = verdict.modelVersion
    return SCORED
  }
  if (score.reasonInto !== null) row[score.reasonInto] = verdict.reason
  // Nobody was to ask, as in a redrive: that is not what the policy is of.
  const isOver = score.onUnavailable === 'null' && verdict.reason !== 'NOT_SET_UP'
  const waits = verdict.kind === 'unavailable' && !isOver
  return { kind: waits ? 'waiting' : 'unscored', reason: verdict.reason }
}

/** The values of a prediction by the columns of its score; undefined when one of them is none that its column takes. */
function valuesOf(prediction: unknown, { into }: Score): readonly unknown[] | undefined {
  const values = into.map(({ part, isText }) => valueOf(partOf(prediction, part), isText))
  return values.every((value, i) => value !== undefined && value !== null && into[i]?.accepts(value))
    ? values
    : undefined
}

/** One value may be wrapped, as `[0.7]` or `{"score": 0.7}`: which it is, is plain as long as there is no other. */
function partOf(prediction: unknown, part: string | number | null): unknown {
  if (typeof prediction !== 'object' || prediction === null || prediction instanceof CsvText)
    return part === null || part === 0 ? prediction : undefined
  if (part !== null) return Object.hasOwn(prediction, part) ? (prediction as Record<string, unknown>)[part] : undefined
  const values: unknown[] = Object.values(prediction)
  return values.length === 1 ? partOf(values[0], null) : undefined
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** Only a field of CSV may be a number as a text; an empty one is nothing. */
function valueOf(value: unknown, isText: boolean): unknown {
  if (!(value instanceof CsvText)) return typeof value === (isText ? 'string' : 'number') ? value : undefined
  if (isText) return value.text || undefined
  return NUMBER.test(value.text) ? Number(value.text) : undefined
}

/** The counts of some records and of those that come behind them. */
export function joinedCounts(before: ScoresCounted, more: ScoresCounted): ScoresCounted {
  return Object.fromEntries(
    Object.entries(more).map(([name, counts]) => {
      const { scored, unscored, waiting, deferred } = before[name] ?? NO_COUNTS
      return [
        name,
        {
          scored: scored + counts.scored,
          unscored: joinedReasons(unscored, counts.unscored),
          waiting: joinedReasons(waiting, counts.waiting),
          deferred: joinedRanges(deferred, counts.deferred),
        },
      ]
    }),
  )
}

type ScoresCounted = Readonly<Record<string, ScoreCounts>>
const NO_COUNTS: ScoreCounts = { scored: 0, unscored: {}, waiting: {}, deferred: [] }

function joinedReasons(a: ScoreCounts['waiting'], b: ScoreCounts['waiting']): Record<string, number> {
  const sum = { ...a }
  for (const [reason, rows] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + rows
  return sum
}

function joinedRanges(a: readonly OffsetRange[], b: readonly OffsetRange[]): readonly OffsetRange[] {
  const [last, next] = [a.at(-1), b[0]]
  if (last === undefined || next === undefined || last[1] + 1 !== next[0]) return [...a, ...b]
  return [...a.slice(0, -1), [last[0], next[1]], ...b.slice(1)]
}

/** @param landed row → the offset of its record; undefined for one that became a dead letter */
function countsOf(settled: readonly Settlement[], landed: (row: number) => number | undefined): ScoreCounts {
  const counts = { scored: 0, unscored: {} as Record<string, number>, waiting: {} as Record<string, number> }
  const deferred = new Set<number>()
  for (const [i, one] of settled.entries()) {
    const offset = landed(i)
    if (one.kind === 'unneeded' || offset === undefined) continue
    if (one.kind === 'scored') {
      counts.scored += 1
      continue
    }
    counts[one.kind][one.reason] = (counts[one.kind][one.reason] ?? 0) + 1
    if (one.kind === 'waiting') deferred.add(offset)
  }
  return { ...counts, deferred: rangesOf([...deferred]) }
}

function requireAvailable(
  { name, endpoint, onUnavailable }: Score,
  recordOf: (row: number) => KafkaRecord,
  settlements: readonly Settlement[],
): void {
  if (onUnavailable !== 'fail') return
  const first = settlements.findIndex((one) => one.kind === 'waiting' && one.reason !== 'NOT_SET_UP')
  const waiting = settlements[first]
  if (waiting?.kind !== 'waiting') return
  throw new InletError(
    'SCORE_UNAVAILABLE',
    `${positionOf(recordOf(first))}: no score "${name}" of the endpoint ${endpoint}: ` +
      `${waiting.reason}; the slice will be delivered again, as its onUnavailable says`,
  )
}
