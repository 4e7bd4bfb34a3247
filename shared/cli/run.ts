import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { readEventFile } from '#shared/runtimes/event-file.ts'
import { runLocally } from '#shared/runtimes/local.ts'
import { formatBytes, formatCount, Progress } from './progress.ts'
import { textTable } from './text-table.ts'

export interface RunOptions {
  readonly events: readonly string[]
  readonly lake: string
  readonly partitions: number
  readonly batch: number
}

/** What a run came to. `records = known + written + skipped + deadLetters`. */
export interface RunSummary {
  readonly pipeline: string
  readonly records: number
  /** Records that an earlier run had landed. */
  readonly known: number
  readonly written: number
  readonly rows: number
  readonly deadLetters: number
  readonly skipped: number
  readonly files: number
  readonly bytes: number
  readonly seconds: number
}

const CONCURRENCY = 8

/** Runs a pipeline's handler over files of events into a lake, with a progress bar. */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<RunSummary> {
  const files = []
  for (const name of options.events)
    files.push(
      await readEventFile(name, { topic: pipeline.topic, partitions: options.partitions, batch: options.batch }),
    )

  const sum = { records: 0, known: 0, written: 0, rows: 0, deadLetters: 0, skipped: 0, files: 0, bytes: 0 }
  const total = files.reduce((records, file) => records + file.records, 0)
  const progress = new Progress(pipeline.name, total, 'records')
  const onSlice = (report: SliceReport): void => {
    progress.advance(report.records)
    if (report.error !== null) return
    const { rejected: deadLetters, ...counts } = report
    for (const key of ['records', 'known', 'written', 'rows', 'skipped', 'files', 'bytes'] as const)
      sum[key] += counts[key]
    sum.deadLetters += deadLetters
  }
  try {
    const lake = new ObjectStoreLake(openStore(options.lake))
    await runLocally(pipeline, files, { lake, concurrency: CONCURRENCY, onSlice })
  } finally {
    progress.stop()
  }
  return { pipeline: pipeline.name, ...sum, seconds: progress.seconds }
}

/** The summary as a table for people. */
export function summaryTable(summary: RunSummary): string {
  const { records, known, rows, deadLetters, skipped, files, bytes, seconds } = summary
  const rate = records / Math.max(seconds, 0.001)
  return textTable(
    ['records in', 'rows', 'dead letters', 'skipped', 'already there', 'files', 'bytes', 'records/s'],
    [[...[records, rows, deadLetters, skipped, known, files].map(formatCount), formatBytes(bytes), formatCount(rate)]],
  )
}
