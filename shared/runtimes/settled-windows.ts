/**
 * Windows that no job is due for until rows come into them are put away, so that what a round reads and writes each minute does not
 * grow with every window that there ever was. They lie in an archive, an object that never changes; the memory names it. A window
 * that rows come into, and that the memory does not know, is looked up there, and counted on from what it had: a window is never
 * taken for a new one, and no job runs for it twice.
 *
 * An archive that is not there any more, because another scheduler has made the next one long ago, is a memory that is lost: all is
 * told anew by the log.
 */
import { randomUUID } from 'node:crypto'
import { isSettled, type LastRun } from '#shared/jobs/due.ts'
import type { Progress, WindowProgress } from '#shared/jobs/progress.ts'
import type { JobId } from '#shared/jobs/run-id.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Job } from '#shared/pipeline/job.ts'
import {
  archivesPrefix,
  type JobMemory,
  readArchive,
  type RunsByJob,
  type SettledWindows,
  writeArchive,
} from './job-memory.ts'

/** Windows that a memory knows at the most, as far as they are settled; then half of them are put away. */
const MOST = 2000
/** How long an archive stays that no memory names: another scheduler may be at work with one that does. */
const KEPT_MS = 86_400_000

const NOTHING: SettledWindows = { windows: {}, known: {} }

/** What is said to be settled is so for these jobs: one that is declared otherwise may be due for any window. */
export function settledFor(jobs: readonly Job[]): string {
  return JSON.stringify(jobs.map(({ name, when, rerunAfter }) => [name, when, rerunAfter]))
}

/** The memory with all windows that there are; undefined when they are lost. */
export async function wholeMemory(store: ObjectStore, memory: JobMemory | undefined): Promise<JobMemory | undefined> {
  if (memory === undefined || memory.archive === null) return memory
  const archived = await readArchive(store, memory.archive.key)
  if (archived === undefined) return undefined
  const windows = { ...archived.windows, ...memory.progress.windows }
  return { progress: { ...memory.progress, windows }, known: joined(archived.known, memory.known), archive: null }
}

/**
 * Progress that was made on a memory's, with what windows had before they were put away.
 * @returns undefined when that is lost
 */
export async function withSettled(
  store: ObjectStore,
  { progress: before, archive }: JobMemory,
  progress: Progress,
): Promise<SettledWindows | undefined> {
  const touched = Object.keys(progress.windows).filter((name) => before.windows[name] === undefined)
  if (archive === null || touched.length === 0) return { ...NOTHING, windows: progress.windows }
  const archived = await readArchive(store, archive.key)
  if (archived === undefined) return undefined
  const windows = { ...progress.windows }
  for (const name of touched) {
    const [had, news] = [archived.windows[name], windows[name] as WindowProgress]
    if (had !== undefined)
      windows[name] = {
        rows: had.rows + news.rows,
        smallFiles: had.smallFiles + news.smallFiles,
        lastAt: Math.max(had.lastAt, news.lastAt),
      }
  }
  const isTouched = new Set(touched)
  return { windows, known: picked(archived.known, (scope) => isTouched.has(scope)) }
}

/** The memory without the windows that are settled, those that rows came into last excepted, once there are many. */
export async function putAway(
  store: ObjectStore,
  of: Pick<JobId, 'pipeline' | 'generation'>,
  jobs: readonly Job[],
  memory: JobMemory,
  { now, most = MOST }: { readonly now: number; readonly most?: number | undefined },
): Promise<JobMemory> {
  const { progress, known, archive } = memory
  const settled = Object.entries(progress.windows)
    .filter(([name, window]) => jobs.every((job) => isSettled(job, window, known[job.name]?.[name])))
    .sort(([, a], [, b]) => a.lastAt - b.lastAt)
  if (settled.length <= most) return memory
  const gone = new Map(settled.slice(0, settled.length - (most >> 1)))
  const before = archive === null ? NOTHING : await readArchive(store, archive.key)
  // Kept as it is: whoever looks a window up finds that it is lost.
  if (before === undefined) return memory
  const key = `${archivesPrefix(of)}${randomUUID()}.json`
  await writeArchive(store, key, {
    windows: { ...before.windows, ...Object.fromEntries(gone) },
    known: joined(
      before.known,
      picked(known, (scope) => gone.has(scope)),
    ),
  })
  await deleteOld(store, of, new Set([key, archive?.key]), now)
  const windows = Object.fromEntries(Object.entries(progress.windows).filter(([name]) => !gone.has(name)))
  return {
    progress: { ...progress, windows },
    known: picked(known, (scope) => !gone.has(scope)),
    archive: { key, jobs: settledFor(jobs) },
  }
}

async function deleteOld(
  store: ObjectStore,
  of: Pick<JobId, 'pipeline' | 'generation'>,
  named: ReadonlySet<string | undefined>,
  now: number,
): Promise<void> {
  for await (const { key, modified } of store.list(archivesPrefix(of)))
    if (!named.has(key) && modified < now - KEPT_MS) await store.delete(key)
}

function picked(known: RunsByJob, isMeant: (scope: string) => boolean): RunsByJob {
  const of = (runs: RunsByJob[string]): Record<string, LastRun> =>
    Object.fromEntries(Object.entries(runs).filter(([scope]) => isMeant(scope)))
  return Object.fromEntries(Object.entries(known).map(([job, runs]) => [job, of(runs)]))
}

/** What both know; of a scope that both know, the second. */
export function joined(first: RunsByJob, second: RunsByJob): RunsByJob {
  const jobs = new Set([...Object.keys(first), ...Object.keys(second)])
  return Object.fromEntries(Array.from(jobs, (job) => [job, { ...first[job], ...second[job] }]))
}
