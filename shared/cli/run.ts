import type { TableCommit } from '#shared/lake/committer.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { applyTables, commitTables } from '#shared/lake/pipeline-tables.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { ScoreReport, SliceReport } from '#shared/pipeline/process-batch.ts'
import { readEventFile } from '#shared/runtimes/event-file.ts'
import { runLocally } from '#shared/runtimes/local.ts'
import { formatBytes, formatCount, Progress } from './progress.ts'
import type { ScoringReport } from '#shared/scoring/endpoint-scorer.ts'
import { openScorer } from './scorer.ts'
import { textTable } from './text-table.ts'

export interface RunOptions {
  readonly events: readonly string[]
  readonly lake: string
  /** The catalog of the lake's tables; a directory of the lake unless given. */
  readonly catalog?: string
  readonly partitions: number
  /** Records of an invocation that is made of values, in place of the number that the pipeline's trigger declares. */
  readonly batch?: number
  /** How often a batch that fails is delivered again; not at all unless given. */
  readonly retries?: number
}

/** What a run came to. `records = known + written + skipped + deadLetters`; those that a filter held back are beside. */
export interface RunSummary {
  readonly pipeline: string
  readonly records: number
  /** Records that an earlier run had landed. */
  readonly known: number
  readonly written: number
  readonly rows: number
  readonly deadLetters: number
  readonly skipped: number
  /** Records that no filter of the trigger let through. */
  readonly filtered: number
  readonly files: number
  readonly bytes: number
  readonly seconds: number
  /** Null for a pipeline without scores. */
  readonly scores: ScoreSummary | null
  /** What its tables have taken of the log at the end; empty for plain files. */
  readonly commits: readonly TableCommit[]
}

/** What became of the rows by their scores. */
export interface ScoreSummary extends ScoreReport {
  /** Milliseconds, of all that was asked. */
  readonly latencyPerRow: number
  /** Whether an endpoint was taken to be away at the end. */
  readonly isBreakerOpen: boolean
}

const CONCURRENCY = 8

/**
 * Runs a pipeline's handler over files of events into a lake, with a progress bar. Its tables are made, or changed to what it
 * declares, before, and take what the log holds afterwards.
 */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<RunSummary> {
  const files = []
  for (const name of options.events) files.push(await readEventFile(name, options.partitions))

  const { catalog = 'directory' } = options
  const store = openLake(options.lake, { catalog, pipelines: [pipeline] })
  const tables =
    pipeline.table.layout === 'files' ? undefined : { store, tables: openCatalog(catalog, store), now: Date.now }
  if (tables !== undefined) await applyTables(tables, pipeline)
  const total = files.reduce((records, file) => records + file.records, 0)
  const progress = new Progress(pipeline.name, total, 'records')
  const tally = new Tally((records) => progress.advance(records))
  const onSlice = (report: SliceReport): void => tally.add(report)
  const onFiltered = (records: number): void => tally.filtered(records)
  try {
    const lake = new ObjectStoreLake(store)
    const { batch: batchSize, retries = 0 } = options
    const scorer = await openScorer(pipeline, store, (report) => tally.asked(report))
    const local = { lake, concurrency: CONCURRENCY, scorer, batchSize, retries, onSlice, onFiltered }
    await runLocally(pipeline, files, local)
  } finally {
    progress.stop()
  }
  const { seconds } = progress
  const commits: TableCommit[] = []
  if (tables !== undefined) await commitTables(tables, pipeline, { onCommit: (commit) => commits.push(commit) })
  return { pipeline: pipeline.name, ...tally.sum, seconds, commits }
}

/** Sums up what became of slices. */
export class Tally {
  readonly #sum = {
    records: 0,
    known: 0,
    written: 0,
    rows: 0,
    deadLetters: 0,
    skipped: 0,
    filtered: 0,
    files: 0,
    bytes: 0,
  }
  #scores: ScoreReport | null = null
  readonly #asked = { rows: 0, milliseconds: 0, isBreakerOpen: false }
  readonly #onRecords: (records: number) => void

  /** @param onRecords told how many records are done with */
  constructor(onRecords: (records: number) => void) {
    this.#onRecords = onRecords
  }

  get sum(): Omit<RunSummary, 'pipeline' | 'seconds' | 'commits'> {
    return { ...this.#sum, scores: this.#scoreSummary() }
  }

  add(report: SliceReport): void {
    this.#onRecords(report.records)
    if (report.error !== null) return
    const { rejected: deadLetters, ...counts } = report
    for (const key of ['records', 'known', 'written', 'rows', 'skipped', 'files', 'bytes'] as const)
      this.#sum[key] += counts[key]
    this.#sum.deadLetters += deadLetters
    if (report.scores === undefined) return
    const { scored, unscored, waiting } = this.#scores ?? { scored: 0, unscored: 0, waiting: 0 }
    this.#scores = {
      scored: scored + report.scores.scored,
      unscored: unscored + report.scores.unscored,
      waiting: waiting + report.scores.waiting,
    }
  }

  /** What asking an endpoint came to. */
  asked({ rows, milliseconds, isBreakerOpen }: ScoringReport): void {
    this.#asked.rows += rows
    this.#asked.milliseconds += milliseconds
    this.#asked.isBreakerOpen = isBreakerOpen
  }

  #scoreSummary(): ScoreSummary | null {
    const { rows, milliseconds, isBreakerOpen } = this.#asked
    return this.#scores && { ...this.#scores, latencyPerRow: rows === 0 ? 0 : milliseconds / rows, isBreakerOpen }
  }

  /** Records that no filter of the trigger has let through. */
  filtered(records: number): void {
    this.#onRecords(records)
    this.#sum.filtered += records
  }

  /** One line of it. */
  line(): string {
    const { records, rows, deadLetters, skipped } = this.#sum
    return `${formatCount(records)} records: ${formatCount(rows)} rows, ${formatCount(deadLetters)} dead letters, ${formatCount(skipped)} skipped`
  }
}

/** The summary as a table for people. */
export function summaryTable(summary: RunSummary): string {
  const { records, known, rows, deadLetters, skipped, filtered, files, bytes, seconds } = summary
  const rate = records / Math.max(seconds, 0.001)
  const counts = { 'records in': records, rows, 'dead letters': deadLetters, skipped, 'already there': known, files }
  const all = filtered === 0 ? counts : { ...counts, 'filtered out': filtered }
  const table = textTable(
    [...Object.keys(all), 'bytes', 'records/s'],
    [[...Object.values(all).map(formatCount), formatBytes(bytes), formatCount(rate)]],
  )
  return summary.scores === null ? table : `${table}\n\n${scoreTable(summary.scores)}`
}

function scoreTable({ scored, unscored, waiting, latencyPerRow, isBreakerOpen }: ScoreSummary): string {
  const names = ['rows scored', 'waiting', 'without a score', 'ms/row', 'endpoint']
  const counts = [scored, waiting, unscored].map(formatCount)
  return textTable(names, [[...counts, latencyPerRow.toFixed(3), isBreakerOpen ? 'away' : 'there']])
}
