/** What is written down of the runs of jobs, as it is listed and shown. */
import type { LastRun } from '#shared/jobs/due.ts'
import { parseRunKey, type RunId, runsPrefix } from '#shared/jobs/run-id.ts'
import { type RunRecord, RunRecords } from '#shared/jobs/run-records.ts'
import type { Job } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { jobsOwner } from '#shared/runtimes/job-look.ts'
import type { JobSurroundings } from '#shared/runtimes/job-round.ts'
import { UsageError } from './failure.ts'

/** A run as it is listed. */
export interface ListedRun extends Pick<RunId, 'pipeline' | 'job' | 'scope' | 'revision'>, RunRecord {
  readonly state: 'open' | 'succeeded' | 'gave up'
}

/** The last run of each scope, those of the latest scopes last. */
export async function listRuns(
  { store }: Pick<JobSurroundings, 'store'>,
  pipeline: Pipeline,
  limit: number,
): Promise<readonly ListedRun[]> {
  const runs: ListedRun[] = []
  for (const { name } of pipeline.jobs) {
    const last = new Map<string, number>()
    const id = { ...jobIdOf(store.url, pipeline), job: name }
    for await (const { key } of store.list(runsPrefix(id))) {
      const run = parseRunKey(key)
      if (run !== undefined) last.set(run.scope, run.revision)
    }
    for (const [scope, revision] of [...last].slice(-limit))
      runs.push(...(await listed(store, { ...id, scope, revision })))
  }
  return runs
}

async function runsOf(store: JobSurroundings['store'], id: Omit<RunId, 'revision'>): Promise<ListedRun[]> {
  const runs: ListedRun[] = []
  for (let revision = 0; ; revision++) {
    const [run] = await listed(store, { ...id, revision })
    if (run === undefined) return runs
    runs.push(run)
  }
}

async function listed(store: JobSurroundings['store'], id: RunId): Promise<ListedRun[]> {
  const record = await new RunRecords(store, id).read()
  if (record === undefined) return []
  const { pipeline, job, scope, revision } = id
  return [{ pipeline, job, scope, revision, ...record, state: record.outcome?.state ?? 'open' }]
}

/** All runs of a scope, the first one first. @throws UsageError when there are none */
export async function showRuns(
  { store }: Pick<JobSurroundings, 'store'>,
  pipeline: Pipeline,
  jobName: string,
  scope: string,
): Promise<readonly ListedRun[]> {
  const { name: job } = jobNamed(pipeline, jobName)
  const runs = await runsOf(store, { ...jobIdOf(store.url, pipeline), job, scope })
  if (runs.length === 0)
    throw new UsageError(`${job} of ${pipeline.name} has no run for ${scope}; "inlet jobs ls" lists them`)
  return runs
}

/** The last run of a job for a scope, as the scheduler knows it; undefined when there was none. */
export async function lastRun(
  { store }: Pick<JobSurroundings, 'store'>,
  pipeline: Pipeline,
  { name: job }: Job,
  scope: string,
): Promise<LastRun | undefined> {
  const last = (await runsOf(store, { ...jobIdOf(store.url, pipeline), job, scope })).at(-1)
  if (last === undefined) return undefined
  return { revision: last.revision, measure: last.order.measure, isOpen: last.state === 'open' }
}

/** @throws UsageError when the pipeline declares no such job */
export function jobNamed({ name: pipeline, jobs }: Pipeline, name: string): Job {
  const job = jobs.find((each) => each.name === name)
  if (job !== undefined) return job
  throw new UsageError(
    `pipeline ${pipeline} has no job "${name}"; there are: ${jobs.map((each) => each.name).join(', ')}`,
  )
}

export function jobIdOf(lake: string, pipeline: Pipeline): Pick<RunId, 'lake' | 'pipeline' | 'generation'> {
  return { lake, ...jobsOwner(pipeline) }
}
