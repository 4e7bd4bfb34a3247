/**
 * One round of the scheduler for one pipeline: what waits in the failure destination and how the table stands is looked at, runs
 * that are open are followed, and what is due is started. Any number of rounds may be at work at once, and each may be stopped
 * anywhere: what they decide is decided by write-once objects (see `run-records.ts`).
 */
import { dueRuns, type DueRun, type LastRun, type WatchedTable, WHOLE_TABLE } from '#shared/jobs/due.ts'
import { pursueRun, type RunContext, type RunStatus, type RunSurroundings } from '#shared/jobs/job-run.ts'
import { openPrefix, parseOpenKey, type RunId } from '#shared/jobs/run-id.ts'
import { RunRecords } from '#shared/jobs/run-records.ts'
import type { Job } from '#shared/pipeline/job.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { windowsOf } from '#shared/pipeline/time-window.ts'
import { type RunsByJob, writeMemory } from './job-memory.ts'
import { jobsOwner, type LookSurroundings, remembered, standOf } from './job-look.ts'
import { putAway } from './settled-windows.ts'
import type { TableView } from './table-view.ts'

/** What rounds work with. */
export interface JobSurroundings extends LookSurroundings, Pick<RunSurroundings, 'runnerOf' | 'deadline'> {
  /** What the catalog is called, for the jobs: `glue:<database>`. */
  readonly catalog: string
  /** Windows that no job is due for and that are remembered at once; when there are more, most of them are put away. */
  readonly windows?: number
}

/** A run, and what became of it in this round. */
export interface RunReport {
  readonly pipeline: string
  readonly job: string
  readonly scope: string
  readonly revision: number
  /** The run was decided in this round. */
  readonly isNew: boolean
  readonly status: RunStatus
}

export interface RoundOptions {
  /** Aborted when nothing shall be begun any more. */
  readonly signal?: AbortSignal
  readonly onRun?: (report: RunReport) => void
  /** A run that could not be looked at, or started: the next round does. */
  readonly onFailure?: (run: Pick<RunId, 'job' | 'scope' | 'revision'>, error: unknown) => void
}

/** @throws InletError when the lake or the catalog cannot be read: nothing is decided then */
export async function runRound(
  surroundings: JobSurroundings,
  pipeline: Pipeline,
  options: RoundOptions = {},
): Promise<void> {
  const { store, windows: most, now } = surroundings
  const memory = await remembered(store, pipeline)
  const [view, known] = await standOf(surroundings, pipeline, memory, options.signal)
  const round = new Round(surroundings, pipeline, known, options)
  await round.followOpen()
  if (view === undefined) return
  if (view.snapshotId !== null) await round.startDue(view, view.snapshotId)
  const archive = view.isAnew ? null : (memory?.archive ?? null)
  const all = { progress: view.progress, known: round.known, archive }
  const after = await putAway(store, jobsOwner(pipeline), pipeline.jobs, all, { now: now(), most })
  if (JSON.stringify(after) !== JSON.stringify(memory)) await writeMemory(store, jobsOwner(pipeline), after)
}

export function watched({ table, completeness }: Pipeline): WatchedTable {
  return { windows: windowsOf(table.partitionSpec), completeness }
}

interface OpenRun {
  readonly id: RunId
  readonly job: Job
  readonly isNew: boolean
  status: RunStatus | undefined
}

class Round {
  readonly #surroundings: JobSurroundings
  readonly #pipeline: Pipeline
  readonly #options: RoundOptions
  readonly #open: OpenRun[] = []
  readonly #known: Record<string, Record<string, LastRun>>

  constructor(surroundings: JobSurroundings, pipeline: Pipeline, known: RunsByJob, options: RoundOptions) {
    this.#surroundings = surroundings
    this.#pipeline = pipeline
    this.#options = options
    this.#known = Object.fromEntries(Object.entries(known).map(([job, runs]) => [job, { ...runs }]))
  }

  /** The last run of each scope, where it is over. */
  get known(): RunsByJob {
    return Object.fromEntries(
      Object.entries(this.#known).map(([job, runs]) => [
        job,
        Object.fromEntries(
          this.#worthKnowing(
            job,
            Object.entries(runs).filter(([, { isOpen }]) => !isOpen),
          ),
        ),
      ]),
    )
  }

  /** Of what runs each hour, or day, only the last time: it is never due for one before, nor for what was started by hand. */
  #worthKnowing(job: string, runs: [scope: string, run: LastRun][]): [scope: string, run: LastRun][] {
    const { when } = this.#pipeline.jobs.find(({ name }) => name === job) ?? {}
    if (when?.kind !== 'every') return runs
    const scheduled = runs.filter(([scope]) => scope !== WHOLE_TABLE)
    return scheduled.sort(([a], [b]) => (a < b ? -1 : 1)).slice(-1)
  }

  /** Follows the runs that are marked as open, and starts what was decided before and could not be started. */
  async followOpen(): Promise<void> {
    const ids = jobsOwner(this.#pipeline)
    const found: ReturnType<typeof parseOpenKey>[] = []
    for await (const { key } of this.#surroundings.store.list(openPrefix(ids))) found.push(parseOpenKey(key))
    const runs = found.flatMap((run): OpenRun[] => {
      // A job that is declared no more is nobody's.
      const job = this.#pipeline.jobs.find(({ name }) => name === run?.job)
      return run === undefined || job === undefined ? [] : [this.#openRun(job, this.#idOf(run), false)]
    })
    // What is at work is known before anything is started.
    for (const run of runs) await this.#pursue(run, false)
    for (const run of runs) if (run.status?.status === 'waiting') await this.#pursue(run, true)
    for (const run of runs) this.#report(run)
  }

  /**
   * Decides and starts what is due, as much as may be at work at once; the rest stays due. Runs that others have decided and that
   * are over may make further ones due.
   */
  async startDue({ progress, state }: TableView, snapshot: string): Promise<void> {
    for (const job of this.#pipeline.jobs) {
      for (;;) {
        const known = this.#known[job.name] ?? {}
        const [next] = dueRuns(job, watched(this.#pipeline), progress, state, known)
        if (next === undefined || this.#openOf(job) >= job.concurrency || this.#isStopped()) break
        await this.#begin(job, next, snapshot)
      }
    }
  }

  async #begin(job: Job, { scope, revision, measure, window }: DueRun, snapshot: string): Promise<void> {
    const id = this.#idOf({ job: job.name, scope, revision })
    const order = { measure, snapshot, window, at: this.#surroundings.now(), by: 'schedule' }
    const isNew = await new RunRecords(this.#surroundings.store, id).open(order)
    const run = this.#openRun(job, id, isNew)
    this.#remember(run, measure)
    await this.#pursue(run, true)
    // What others have decided, and is over, they have told.
    if (isNew || run.status?.status !== 'over') this.#report(run)
  }

  #idOf(run: Pick<RunId, 'job' | 'scope' | 'revision'>): RunId {
    return { lake: this.#surroundings.store.url, ...jobsOwner(this.#pipeline), ...run }
  }

  #openRun(job: Job, id: RunId, isNew: boolean): OpenRun {
    const opened: OpenRun = { id, job, isNew, status: undefined }
    this.#open.push(opened)
    return opened
  }

  async #pursue(run: OpenRun, mayStart: boolean): Promise<void> {
    if (this.#isStopped()) return
    const isFree = mayStart && this.#atWork(run) < run.job.concurrency
    try {
      const context = contextOf(this.#surroundings, this.#pipeline)
      run.status = await pursueRun(this.#surroundings, run.id, run.job, context, isFree)
      // Who marked it has died before it was decided: it is decided anew when it is due.
      if (run.status === undefined) this.#open.splice(this.#open.indexOf(run), 1)
      else this.#remember(run, run.status.measure)
    } catch (error) {
      this.#options.onFailure?.(run.id, error)
    }
  }

  #remember({ id: { job, scope, revision }, status }: OpenRun, measure: number): void {
    const runs = (this.#known[job] ??= {})
    if ((runs[scope]?.revision ?? -1) > revision) return
    runs[scope] = { revision, measure, isOpen: status?.status !== 'over' }
  }

  /** How many other runs of the job are, or may be, at work. */
  #atWork({ job, id }: OpenRun): number {
    const others = this.#open.filter((run) => run.job.name === job.name && run.id !== id)
    return others.filter(
      ({ status }) => status?.status === 'running' || (status?.status === 'waiting' && status.isUncertain),
    ).length
  }

  /** How many runs of the job are not over. */
  #openOf(job: Job): number {
    return this.#open.filter((run) => run.job.name === job.name && run.status?.status !== 'over').length
  }

  #isStopped(): boolean {
    return this.#options.signal?.aborted === true
  }

  #report({ id: { pipeline, job, scope, revision }, isNew, status }: OpenRun): void {
    if (status !== undefined) this.#options.onRun?.({ pipeline, job, scope, revision, isNew, status })
  }
}

function contextOf({ catalog }: Pick<JobSurroundings, 'catalog'>, { table }: Pipeline): RunContext {
  return { catalog, table: table.name, 'window-column': windowsOf(table.partitionSpec)?.column ?? '' }
}
