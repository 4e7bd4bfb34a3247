import type { Meant } from '#shared/lake/rescore/rescored-files.ts'
import { hasScore } from '#shared/lake/rescore/rescored-file.ts'
import { timeOfBound } from '#shared/lake/time-bound.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Score } from '#shared/pipeline/score.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { UsageError } from './failure.ts'
import type { ScoreChanges } from './score-changes.ts'

export interface RangeArguments {
  /** ISO 8601: rows of the range are scored anew, whether they wait or not. */
  readonly from?: string
  readonly to?: string
  /** The version that has to answer; rows that it has scored are left alone. */
  readonly modelVersion?: string
  /** Rows that wait, by the log itself. */
  readonly all?: boolean
}

/** A half-open range of the table's time column, in milliseconds. */
export interface TimeRange {
  readonly column: string
  readonly from: number
  readonly to: number
}

/**
 * The rows that are asked for.
 * @returns undefined for those that wait, wherever they are
 * @throws UsageError when the options do not go together, or the range is none
 */
export function rangeOf(pipeline: Pipeline, { from, to, modelVersion, all }: RangeArguments): TimeRange | undefined {
  if (modelVersion !== undefined && pipeline.scores.some(({ modelVersionInto }) => modelVersionInto === null))
    throw new UsageError(`--model-version needs modelVersionInto in each score of ${pipeline.name}`)
  if (from === undefined && to === undefined) {
    if (modelVersion === undefined) return undefined
    throw new UsageError('--model-version is for rows of a range: say --from, --to, or both')
  }
  if (all === true) throw new UsageError('--all is for rows that wait: leave --from and --to out')
  const range = {
    column: pipeline.table.partitionSpec.find(({ isTime }) => isTime)?.column ?? '_timestamp',
    from: from === undefined ? Number.NEGATIVE_INFINITY : instant('--from', from),
    to: to === undefined ? Number.POSITIVE_INFINITY : instant('--to', to),
  }
  if (range.from >= range.to) throw new UsageError('--from must lie before --to')
  return range
}

function instant(option: string, text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new UsageError(`${option}: expected a date or a time of ISO 8601, found "${text}"`)
  return ms
}

/** The rows of a range that the version has not scored yet, and the files whose statistics do not say that they have none of it. */
export function rowsWithin(
  { column, from, to }: TimeRange,
  { columns }: Table,
  modelVersion: string | undefined,
  changes: ScoreChanges,
): Meant {
  const id = columns.find(({ name }) => name === column)?.id ?? null
  const isWithin = (row: Row): boolean => {
    const value = row[column] ?? null
    if (value === null) return false
    const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number(value)
    return from <= ms && ms < to
  }
  const isDone = (row: Row, score: Score): boolean =>
    modelVersion !== undefined && hasScore(row, score) && row[score.modelVersionInto ?? ''] === modelVersion
  return {
    mayHold({ lowerBounds, upperBounds }) {
      const [lower, upper] = id === null ? [] : [lowerBounds.get(id), upperBounds.get(id)]
      return lower === undefined || upper === undefined || (timeOfBound(upper) >= from && timeOfBound(lower) < to)
    },
    isMeant: (row, score) => isWithin(row) && !isDone(row, score),
    onSettled: ({ kind }, score, before, after) => {
      if (kind === 'scored') changes.add(score, before, after)
    },
  }
}
