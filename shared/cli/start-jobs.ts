/** Events into a lake of small files; the days that are complete are compacted by Spark; the same question, before and after. */
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { defineJobs } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { lookAt } from '#shared/runtimes/job-look.ts'
import { type JobSurroundings, type RunReport, runRound } from '#shared/runtimes/job-round.ts'
import type { TopicView } from '#shared/runtimes/table-view.ts'
import { jobSurroundings } from './jobs.ts'
import { formatBytes, formatCount, Progress } from './progress.ts'
import { type RunSummary, runPipeline } from './run.ts'
import { filesOf } from './snapshot-files.ts'
import { LaptopRunner } from './spark/laptop-runner.ts'
import { RestCatalog } from './spark/rest-catalog.ts'
import { SparkHost } from './spark/spark-host.ts'
import { installSpark } from './spark/spark-installation.ts'
import { answerSql } from './sql.ts'
import { textTable } from './text-table.ts'

const INSTALLATION = path.join(import.meta.dirname, '../../.cache')
const CATALOG = 'directory'
/** Small enough that each day comes in many files, as it does where a trigger must not wait long. */
const BATCH = 300
const JOBS = { compact: { glue: 'inlet-compact', when: { partitionComplete: '10 minutes' }, concurrency: 4 } } as const
/** All events are read before the jobs begin: nothing is to come. */
const AT_ITS_END: TopicView = { offsets: null, hasEnded: () => true }
const POLL_MS = 200
const ASKED = 3

export interface JobsStart {
  readonly events: string
  readonly lake: string
  /** Asked before and after. */
  readonly sql: string
  readonly signal: AbortSignal
  readonly say: (text: string) => void
}

/** @throws InstallationError when Spark cannot be had; Error when a job fails as often as it may be tried */
export async function startWithJobs(declared: Pipeline, start: JobsStart): Promise<RunSummary> {
  const { events, lake, sql, signal, say } = start
  const pipeline = { ...declared, jobs: defineJobs(JOBS, declared.table) }
  const summary = await runPipeline(pipeline, { events: [events], lake, partitions: 3, batch: BATCH })
  const before = await look(pipeline, lake, sql)
  say('\nDays that are complete are compacted by infra/jobs/compact.py, on a Spark that is fetched once (0.4 GB).')
  const days = await compactComplete(pipeline, lake, signal)
  if (days === 0) say('\nEvery day that is complete was compacted before.')
  say(`\n${comparison(before, await look(pipeline, lake, sql))}`)
  return summary
}

/** @returns how many windows were compacted */
async function compactComplete(pipeline: Pipeline, lake: string, signal: AbortSignal): Promise<number> {
  const installation = await installSpark(INSTALLATION, ['iceberg-spark-runtime-3.5_2.12'])
  const place = { lake, catalog: CATALOG, topic: () => Promise.resolve(AT_ITS_END) }
  const { tables } = jobSurroundings(place, [pipeline])
  const catalog = await RestCatalog.start(tables, { now: Date.now })
  const host = await SparkHost.start(installation)
  try {
    const runner = new LaptopRunner(host, `rest:${catalog.uri}`)
    return await follow(jobSurroundings({ ...place, runnerOf: () => runner }, [pipeline]), pipeline, signal)
  } finally {
    await host.stop()
    await catalog.stop()
  }
}

/** Does rounds of the scheduler until nothing is due and nothing runs. */
async function follow(surroundings: JobSurroundings, pipeline: Pipeline, signal: AbortSignal): Promise<number> {
  const view = await lookAt(surroundings, pipeline, undefined)
  const windows = Object.keys(view?.progress.windows ?? {}).length
  const progress = new Progress('compact', windows, 'days')
  let done = 0
  try {
    for (;;) {
      const runs = await doRound(surroundings, pipeline, signal)
      const over = runs.filter(({ status }) => status.status === 'over').length
      if (over > 0) progress.advance(over)
      done += over
      if (over === runs.length || signal.aborted) return done
      await pause(POLL_MS)
    }
  } finally {
    progress.stop()
  }
}

/** @throws Error when a run has failed as often as it may be tried, or could not be looked at */
async function doRound(surroundings: JobSurroundings, pipeline: Pipeline, signal: AbortSignal): Promise<RunReport[]> {
  const runs: RunReport[] = []
  const failures: unknown[] = []
  const onFailure = (_run: object, error: unknown): void => void failures.push(error)
  await runRound(surroundings, pipeline, { signal, onRun: (report) => void runs.push(report), onFailure })
  if (failures.length > 0) throw failures[0]
  for (const { scope, status } of runs)
    if (status.status === 'over' && status.outcome.state === 'gave up')
      throw new Error(`compact ${scope}: ${status.outcome.message}`)
  return runs
}

interface Look {
  readonly files: number
  readonly bytes: number
  readonly milliseconds: number
}

/** The quickest of some answers: the others have waited for something else. */
async function look(pipeline: Pipeline, lake: string, sql: string): Promise<Look> {
  const store = openStore(lake)
  let milliseconds = Number.POSITIVE_INFINITY
  for (let i = 0; i < ASKED; i++) {
    const from = performance.now()
    await answerSql(sql, store)
    milliseconds = Math.min(milliseconds, performance.now() - from)
  }
  const tables = openCatalog(CATALOG, store)
  const loaded = await tables.catalog.load(pipeline.table.name)
  if (loaded === undefined) throw new Error(`${lake} has no table ${pipeline.table.name}`)
  const { name } = pipeline.table
  const { metadata } = loaded
  const files = await filesOf({ store, tables, name, metadata }, currentSnapshot(metadata))
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), milliseconds }
}

function comparison(before: Look, after: Look): string {
  const row = (when: string, { files, bytes, milliseconds }: Look): readonly string[] => [
    when,
    formatCount(files),
    formatBytes(bytes),
    `${formatCount(milliseconds)} ms`,
  ]
  return textTable(['', 'files', 'size', 'the question takes'], [row('before', before), row('after', after)])
}
