import { awsRunners } from '#shared/jobs/aws-runners.ts'
import { stretchAt, type Verdict, verdictOf, WHOLE_TABLE } from '#shared/jobs/due.ts'
import type { JobRunner } from '#shared/jobs/job-runner.ts'
import type { RunId } from '#shared/jobs/run-id.ts'
import { type RunOrder, RunRecords } from '#shared/jobs/run-records.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import type { Job } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { parseWindow, type TimeWindow } from '#shared/pipeline/time-window.ts'
import { readMemory } from '#shared/runtimes/job-memory.ts'
import { jobsOwner, lookAt } from '#shared/runtimes/job-look.ts'
import { type JobSurroundings, type RunReport, runRound, watched } from '#shared/runtimes/job-round.ts'
import { wholeMemory } from '#shared/runtimes/settled-windows.ts'
import { waitingOf } from '#shared/runtimes/jobs.ts'
import { type TableView, type TopicView, UNKNOWN_TOPIC } from '#shared/runtimes/table-view.ts'
import { UsageError } from './failure.ts'
import { jobIdOf, jobNamed, lastRun, type ListedRun, showRuns } from './job-runs.ts'
import type { TablePlace } from './opened-tables.ts'
import { loadPipeline, pipelineFiles } from './pipelines.ts'

/** Why a job does or does not run. */
export interface Explanation {
  readonly pipeline: string
  readonly job: Job
  readonly scope: string
  readonly verdict: Verdict
}

export interface JobPlace extends TablePlace {
  /** How far the topics reach, if somebody asks Kafka. */
  readonly topic?: (pipeline: Pipeline) => Promise<TopicView>
  /** In place of the services of AWS. */
  readonly runnerOf?: (job: Job) => JobRunner
}

/** What the jobs of pipelines are looked at, and started, with. */
export function jobSurroundings(place: JobPlace, pipelines: readonly Pipeline[]): JobSurroundings {
  const store = openLake(place.lake)
  const { catalog } = place
  return {
    store,
    catalog,
    tables: openCatalog(catalog, store),
    now: Date.now,
    deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
    runnerOf: place.runnerOf ?? awsRunners(),
    waiting: waitingOf(pipelines, openStore),
    topic: place.topic ?? (() => Promise.resolve(UNKNOWN_TOPIC)),
  }
}

/** A pipeline by its name or file. @throws UsageError when it declares no jobs */
export async function pipelineWithJobs(nameOrFile: string): Promise<Pipeline> {
  const pipeline = await loadPipeline(nameOrFile)
  if (pipeline.jobs.length === 0) throw new UsageError(`pipeline ${pipeline.name} declares no jobs`)
  return pipeline
}

/** The same of several; without a name, all that have jobs. */
export async function pipelinesWithJobs(names: readonly string[]): Promise<readonly Pipeline[]> {
  if (names.length > 0) return Promise.all(names.map(pipelineWithJobs))
  const pipelines = await Promise.all([...pipelineFiles().keys()].map(loadPipeline))
  return pipelines.filter(({ jobs }) => jobs.length > 0)
}

/**
 * Starts a run whether or not it is due; later late rows count from what the window has now.
 * @throws UsageError when the window has no rows, or a run of it is not over
 */
export async function startRun(
  surroundings: JobSurroundings,
  pipeline: Pipeline,
  jobName: string,
  partition: string | undefined,
): Promise<readonly RunReport[]> {
  const job = jobNamed(pipeline, jobName)
  const view = await viewOf(surroundings, pipeline)
  const { scope, window } = scopeOf(pipeline, job, partition)
  const last = await lastRun(surroundings, pipeline, job, scope)
  if (last?.isOpen === true) throw new UsageError(`${job.name}: its run for ${scope} is not over`)
  const rows = window === null ? view.progress.rows : view.progress.windows[scope]?.rows
  if (rows === undefined || view.snapshotId === null)
    throw new UsageError(`${pipeline.table.name} has no rows for ${scope}`)
  return begin(
    surroundings,
    pipeline,
    { job: job.name, scope, revision: (last?.revision ?? -1) + 1 },
    {
      measure: measureOf(job, view, scope, rows),
      snapshot: view.snapshotId,
      window,
      at: surroundings.now(),
      by: 'inlet jobs start',
    },
  )
}

/** Starts a run anew that was given up. @throws UsageError when it was not */
export async function retryRun(
  surroundings: JobSurroundings,
  pipeline: Pipeline,
  jobName: string,
  scope: string,
): Promise<readonly RunReport[]> {
  const job = jobNamed(pipeline, jobName)
  const last = (await showRuns(surroundings, pipeline, jobName, scope)).at(-1) as ListedRun
  if (last.state !== 'gave up')
    throw new UsageError(
      `${job.name}: the last run for ${scope} ${last.state === 'open' ? 'is not over' : 'has succeeded'}`,
    )
  const { snapshotId } = await viewOf(surroundings, pipeline)
  const snapshot = snapshotId ?? last.order.snapshot
  const order = { ...last.order, snapshot, at: surroundings.now(), by: 'inlet jobs retry' }
  return begin(surroundings, pipeline, { job: job.name, scope, revision: last.revision + 1 }, order)
}

async function begin(
  surroundings: JobSurroundings,
  pipeline: Pipeline,
  run: Pick<RunId, 'job' | 'scope' | 'revision'>,
  order: RunOrder,
): Promise<readonly RunReport[]> {
  const { store } = surroundings
  await new RunRecords(store, { ...jobIdOf(store.url, pipeline), ...run }).open(order)
  const runs = await followRuns(surroundings, pipeline)
  return runs.filter(({ job, scope }) => job === run.job && scope === run.scope)
}

/** A round of the scheduler. @throws what could not be done */
export async function followRuns(surroundings: JobSurroundings, pipeline: Pipeline): Promise<readonly RunReport[]> {
  const runs: RunReport[] = []
  const failures: unknown[] = []
  await runRound(surroundings, pipeline, {
    onRun: (run) => void runs.push(run),
    onFailure: (_run, error) => void failures.push(error),
  })
  if (failures.length > 0) throw failures[0]
  return runs
}

/** Why the jobs of a table do or do not run for a partition. Nothing is started, and nothing written. */
export async function explain(
  surroundings: JobSurroundings,
  pipeline: Pipeline,
  partition: string,
): Promise<readonly Explanation[]> {
  const view = await viewOf(surroundings, pipeline)
  const explanations: Explanation[] = []
  for (const job of pipeline.jobs) {
    const { when } = job
    const isOfTime = when.kind === 'every'
    const scope = isOfTime ? stretchAt(view.state.now, when.periodMs) : scopeOf(pipeline, job, partition).scope
    const last = await lastRun(surroundings, pipeline, job, scope)
    const known = last === undefined ? {} : { [scope]: last }
    const verdict = verdictOf(job, watched(pipeline), view.progress, view.state, known, scope)
    explanations.push({ pipeline: pipeline.name, job, scope, verdict })
  }
  return explanations
}

async function viewOf(surroundings: JobSurroundings, pipeline: Pipeline): Promise<TableView> {
  const { store } = surroundings
  const memory = await wholeMemory(store, await readMemory(store, jobsOwner(pipeline)))
  const view = await lookAt(surroundings, pipeline, memory?.progress)
  if (view !== undefined) return view
  throw new UsageError(
    `the catalog has no table ${pipeline.table.name}; name another --catalog, or make it with "inlet table apply ${pipeline.name}"`,
  )
}

/** What a job's run for a partition is called, and the window that it is for. @throws UsageError */
function scopeOf(
  pipeline: Pipeline,
  { name, when }: Job,
  partition: string | undefined,
): { readonly scope: string; readonly window: TimeWindow | null } {
  const { windows } = watched(pipeline)
  if (windows === null || when.kind === 'rows' || when.kind === 'every') return { scope: WHOLE_TABLE, window: null }
  if (partition === undefined) throw new UsageError(`${name} runs for partitions of ${pipeline.table.name}: name one`)
  const window = parseWindow(windows.grain, partition)
  if (window === undefined)
    throw new UsageError(
      `"${partition}" names no partition of ${pipeline.table.name}: its partitions are each a ${windows.grain} of ` +
        `${windows.column}, named as their folders are: ${EXAMPLES[windows.grain]}`,
    )
  return { scope: partition, window }
}

const EXAMPLES = { hour: '2026-01-31-17', day: '2026-01-31', month: '2026-01', year: '2026' }

/** What the next run of the job is counted from. */
function measureOf({ when }: Job, { progress }: TableView, scope: string, rows: number): number {
  if (when.kind !== 'smallFiles') return rows
  return scope === WHOLE_TABLE ? progress.smallFiles : (progress.windows[scope]?.smallFiles ?? 0)
}

/** The pipeline whose table it is. @throws UsageError when no pipeline with jobs has it */
export async function pipelineOfTable(table: string, file: string | undefined): Promise<Pipeline> {
  const pipelines = await pipelinesWithJobs(file === undefined ? [] : [file])
  const found = pipelines.find((pipeline) => pipeline.table.name === table)
  if (found !== undefined) return found
  const tables = pipelines.map((pipeline) => pipeline.table.name)
  throw new UsageError(`no pipeline with jobs has a table "${table}"; there are: ${tables.join(', ') || 'none'}`)
}
