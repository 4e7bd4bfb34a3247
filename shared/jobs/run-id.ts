import { createHash } from 'node:crypto'

/** A job of one generation of a pipeline, in one lake. */
export interface JobId {
  /** URL of the lake. */
  readonly lake: string
  readonly pipeline: string
  readonly generation: number
  readonly job: string
}

/** One run of a job: of a scope, counted from 0. It may take several attempts. */
export interface RunId extends JobId {
  /** The window's name, or what else the run is for. */
  readonly scope: string
  readonly revision: number
}

/**
 * Who an attempt is: equal for two only when they are the same. Lakes of an account share jobs, so that each begins with a digest of
 * its lake. At most 160 characters.
 */
export function attemptIdentity({ lake, pipeline, generation, job, scope, revision }: RunId, attempt: number): string {
  return `${sha256(lake).slice(0, 12)}/${pipeline}/g${generation}/${job}/${scope}/r${revision}/a${attempt}`
}

/** An identity in 64 hexadecimal digits. */
export function tokenOf(identity: string): string {
  return sha256(identity)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const JOBS_ROOT = 'jobs/'

/** Below it, all that is known of the jobs of one generation of a pipeline. */
export function jobsPrefix({ pipeline, generation }: Pick<JobId, 'pipeline' | 'generation'>): string {
  return `${JOBS_ROOT}${pipeline}/g${generation}/`
}

/** What the records of a job's runs lie below; by scope and revision. */
export function runsPrefix(id: JobId, scope?: string): string {
  return `${jobsPrefix(id)}runs/${id.job}/${scope === undefined ? '' : `${scope}/`}`
}

export function runPrefix(id: RunId): string {
  return `${runsPrefix(id, id.scope)}${String(id.revision).padStart(6, '0')}/`
}

/** The mark of a run that is not over; put before the run is. */
export function openKey(id: RunId): string {
  return `${openPrefix(id)}${id.job}/${id.scope}/${String(id.revision).padStart(6, '0')}`
}

export function openPrefix(id: Pick<JobId, 'pipeline' | 'generation'>): string {
  return `${jobsPrefix(id)}open/`
}

const OPEN = /\/open\/(?<job>[^/]+)\/(?<scope>[^/]+)\/(?<revision>\d+)$/

/** @returns the run that a mark's key names; undefined for other keys */
export function parseOpenKey(key: string): Pick<RunId, 'job' | 'scope' | 'revision'> | undefined {
  const { job, scope, revision } = OPEN.exec(key)?.groups ?? {}
  return job === undefined || scope === undefined ? undefined : { job, scope, revision: Number(revision) }
}

const RUN = /\/runs\/(?<job>[^/]+)\/(?<scope>[^/]+)\/(?<revision>\d+)\//

/** @returns the run that a record's key belongs to; undefined for other keys */
export function parseRunKey(key: string): Pick<RunId, 'job' | 'scope' | 'revision'> | undefined {
  const { job, scope, revision } = RUN.exec(key)?.groups ?? {}
  return job === undefined || scope === undefined ? undefined : { job, scope, revision: Number(revision) }
}
