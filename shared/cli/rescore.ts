import { commitTables } from '#shared/lake/pipeline-tables.ts'
import { rescoreRows, rescoreWaiting } from '#shared/lake/rescore/rescore.ts'
import type { Rescored, RescoreOptions } from '#shared/lake/rescore/rescored-files.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import { UsageError } from './failure.ts'
import { openTables, type TablePlace } from './opened-tables.ts'
import { formatCount, Progress } from './progress.ts'
import { type RangeArguments, rangeOf, rowsWithin } from './rescore-range.ts'
import { type ScoreChange, ScoreChanges } from './score-changes.ts'
import { notSetUp, openScorer } from './scorer.ts'
import { textTable } from './text-table.ts'

export interface RescoreArguments extends TablePlace, RangeArguments {
  /** The production variant that is asked. */
  readonly variant?: string
  readonly dryRun?: boolean
}

export interface RescoreSummary extends Readonly<Rescored> {
  readonly pipeline: string
  readonly dryRun: boolean
  readonly changes: readonly ScoreChange[]
  /** Rows that another version than the one that was asked for has answered: they keep what they had. */
  readonly otherVersion: number
}

/**
 * Scores rows that have landed: those that wait, or those of a range of time by a new model.
 * @throws UsageError when the pipeline has no scores, no endpoint is set up, or the range is none
 */
export async function rescore(nameOrFile: string, args: RescoreArguments): Promise<RescoreSummary> {
  const { pipeline: declared, surroundings } = await openTables(nameOrFile, args)
  const { variant, dryRun = false, modelVersion } = args
  if (declared.scores.length === 0) throw new UsageError(`pipeline ${declared.name} declares no scores`)
  const scores = declared.scores.map((score) => (variant === undefined ? score : { ...score, variant }))
  const pipeline: Pipeline = { ...declared, scores }
  const range = rangeOf(pipeline, args)
  const asked = await openScorer(pipeline, surroundings.store, () => {})
  if (asked === undefined) throw new UsageError(notSetUp(pipeline))
  const versioned = new VersionedScorer(asked, modelVersion)
  const signal = new AbortController().signal

  if (!dryRun) await commitTables(surroundings, pipeline)
  let progress: Progress | undefined
  const options: RescoreOptions = {
    scoring: { scorer: versioned, signal },
    signal,
    dryRun,
    onFiles: (total) => {
      progress?.stop()
      progress = new Progress(`rescore ${pipeline.name}`, total, 'files')
    },
    onFile: () => progress?.advance(1),
  }
  const changes = new ScoreChanges()
  try {
    const rescored =
      range === undefined
        ? await rescoreWaiting(surroundings, pipeline, { ...options, all: args.all ?? false })
        : await rescoreRows(surroundings, pipeline, rowsWithin(range, pipeline.table, modelVersion, changes), options)
    const { otherVersion } = versioned
    return { pipeline: pipeline.name, dryRun, ...rescored, changes: changes.list, otherVersion }
  } finally {
    progress?.stop()
  }
}

/** Takes the answers of one version of the model only. */
class VersionedScorer implements Scorer {
  otherVersion = 0
  readonly #scorer: Scorer
  readonly #version: string | undefined

  constructor(scorer: Scorer, version: string | undefined) {
    this.#scorer = scorer
    this.#version = version
  }

  async score(...asked: Parameters<Scorer['score']>): ReturnType<Scorer['score']> {
    const verdicts = await this.#scorer.score(...asked)
    return verdicts.map((verdict) => {
      const isOther =
        this.#version !== undefined && verdict.kind === 'predicted' && verdict.modelVersion !== this.#version
      if (!isOther) return verdict
      this.otherVersion += 1
      return { kind: 'unavailable', reason: 'REFUSED' }
    })
  }
}

/** What rescoring came to, as a page for people. */
export function rescorePage(summary: RescoreSummary): string {
  const { pipeline, dryRun, scored, unscored, waiting, files, left, changes, otherVersion } = summary
  const counts = {
    [dryRun ? 'would be scored' : 'scored']: scored,
    'without a score': unscored,
    'still waiting': waiting,
  }
  const parts = [
    textTable([...Object.keys(counts), 'files replaced'], [[...Object.values(counts), files].map(formatCount)]),
  ]
  if (changes.length > 0) parts.push(changesTable(changes))
  if (otherVersion > 0)
    parts.push(
      `${formatCount(otherVersion)} rows were answered by another version of the model: they keep what they had.`,
    )
  if (waiting > otherVersion)
    parts.push(`What waits is scored by the next run, once its endpoint answers: "inlet rescore ${pipeline}".`)
  for (const { location, reason } of left.slice(0, 10)) parts.push(`left as it is: ${location}: ${reason}`)
  return parts.join('\n\n')
}

function changesTable(changes: readonly ScoreChange[]): string {
  const figure = (value: number | null): string => (value === null ? '' : value.toPrecision(6))
  return textTable(
    ['score', 'column', 'compared', 'changed', 'new', 'mean before', 'mean after', 'mean |Δ|', 'most |Δ|'],
    changes.map(({ score, column, compared, changed, added, ...means }) => [
      score,
      column,
      ...[compared, changed, added].map(formatCount),
      ...[means.meanBefore, means.meanAfter, means.meanDifference, means.mostDifference].map(figure),
    ]),
  )
}
