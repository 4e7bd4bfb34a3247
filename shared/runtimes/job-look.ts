/** How a pipeline's table stands, as a round of the scheduler looks at it: by what is remembered, and what is new. */
import type { WaitingBatch } from '#shared/jobs/completeness.ts'
import type { JobId } from '#shared/jobs/run-id.ts'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { type JobMemory, readMemory, type RunsByJob } from './job-memory.ts'
import { joined, settledFor, wholeMemory, withSettled } from './settled-windows.ts'
import { type TableView, type TopicView, viewTable } from './table-view.ts'

/** What a table is looked at with. */
export interface LookSurroundings extends CommitterSurroundings {
  /** The batches of a pipeline that wait in its failure destination. */
  readonly waiting: (pipeline: Pipeline) => Promise<readonly WaitingBatch[]>
  readonly topic: (pipeline: Pipeline) => Promise<TopicView>
  /** Commits of one log that are read at once; more are read after them. */
  readonly limit?: number
}

/** What the rounds before have left to this one. */
export async function remembered(store: ObjectStore, pipeline: Pipeline): Promise<JobMemory | undefined> {
  const memory = await readMemory(store, jobsOwner(pipeline))
  const isSettled = memory?.archive?.jobs === settledFor(pipeline.jobs)
  return isSettled ? memory : wholeMemory(store, memory)
}

/** The table as it is now, with what its windows had before they were put away, and the runs that are known of them. */
export async function standOf(
  surroundings: LookSurroundings,
  pipeline: Pipeline,
  memory: JobMemory | undefined,
  signal: AbortSignal | undefined,
): Promise<[TableView | undefined, RunsByJob]> {
  const view = await lookUntilRead(surroundings, pipeline, memory?.progress, signal)
  if (view === undefined || memory === undefined || view.isAnew) return [view, memory?.known ?? {}]
  const settled = await withSettled(surroundings.store, memory, view.progress)
  if (settled === undefined) return [await lookUntilRead(surroundings, pipeline, undefined, signal), memory.known]
  const progress = { ...view.progress, windows: settled.windows }
  return [{ ...view, progress }, joined(settled.known, memory.known)]
}

/** Looks at the table until a long log is read to its end, or to where the table has got to, or time is up. */
async function lookUntilRead(
  surroundings: LookSurroundings,
  pipeline: Pipeline,
  before: JobMemory['progress'] | undefined,
  signal: AbortSignal | undefined,
): Promise<TableView | undefined> {
  let view = await lookAt(surroundings, pipeline, before, signal)
  while (view !== undefined && !view.state.isRead) {
    if (signal?.aborted === true) return view
    const next = await lookAt(surroundings, pipeline, view.progress, signal)
    if (next === undefined) return undefined
    const isOver = placesOf(next) === placesOf(view)
    view = { ...next, isAnew: next.isAnew || view.isAnew }
    if (isOver) return view
  }
  return view
}

function placesOf({ progress }: TableView): string {
  return JSON.stringify(Object.entries(progress.logs).map(([log, { next }]) => [log, next]))
}

/**
 * How a pipeline's table stands, and what waits in its failure destination. That is looked at before and after: a batch that is
 * given up meanwhile is seen behind the log, one that is redriven meanwhile before it.
 * @returns undefined when the catalog has no such table yet
 */
export async function lookAt(
  surroundings: LookSurroundings,
  pipeline: Pipeline,
  before: JobMemory['progress'] | undefined,
  signal?: AbortSignal,
): Promise<TableView | undefined> {
  const first = await surroundings.waiting(pipeline)
  const topic = await surroundings.topic(pipeline)
  const { limit } = surroundings
  const view = await viewTable(surroundings, pipeline, before, first, topic, { limit, signal })
  if (view === undefined) return undefined
  const keys = new Set(first.map(({ key }) => key))
  const more = (await surroundings.waiting(pipeline)).filter(({ key }) => !keys.has(key))
  return { ...view, state: { ...view.state, waiting: [...first, ...more] } }
}

/** Whose jobs they are. */
export function jobsOwner({
  name,
  generation,
}: Pick<Pipeline, 'name' | 'generation'>): Pick<JobId, 'pipeline' | 'generation'> {
  return { pipeline: name, generation }
}
