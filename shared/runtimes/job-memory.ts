import * as z from 'zod'
import type { KnownRuns } from '#shared/jobs/due.ts'
import type { Progress } from '#shared/jobs/progress.ts'
import { type JobId, jobsPrefix } from '#shared/jobs/run-id.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'

const Count = z.int().min(0)
const Memory = z.object({
  format: z.literal(1),
  progress: z.object({
    tableId: z.string(),
    logs: z.record(
      z.string(),
      z.object({
        next: Count,
        amended: z.record(z.string(), Count),
        watermark: z.number().nullable(),
        lastAt: z.number(),
      }),
    ),
    windows: z.record(z.string(), z.object({ rows: Count, smallFiles: Count, lastAt: z.number() })),
    rows: Count,
    smallFiles: Count,
  }),
  known: z.record(z.string(), z.record(z.string(), z.tuple([Count, Count]))),
})

/** The runs that are over, by job. */
export type RunsByJob = Readonly<Record<string, KnownRuns>>

/**
 * What a round of the scheduler leaves to the next: what it has read, so that it is not read again. All of it is told anew by the
 * log and the records of runs: it may be lost, or be older than somebody else's.
 */
export interface JobMemory {
  readonly progress: Progress
  readonly known: RunsByJob
}

/** @returns undefined when there is none, or it is of another version of Inlet */
export async function readMemory(
  store: ObjectStore,
  of: Pick<JobId, 'pipeline' | 'generation'>,
): Promise<JobMemory | undefined> {
  const body = await store.get(memoryKey(of))
  const parsed = Memory.safeParse(body === undefined ? undefined : parsedJson(body))
  if (!parsed.success) return undefined
  const { progress, known } = parsed.data
  return { progress, known: mapValues(known, (runs) => mapValues(runs, lastRunOf)) }
}

export async function writeMemory(
  store: ObjectStore,
  of: Pick<JobId, 'pipeline' | 'generation'>,
  { progress, known }: JobMemory,
): Promise<void> {
  const runs = mapValues(known, (each) =>
    // What is open is marked as such by itself.
    mapValues(each, ({ revision, measure }) => [revision, measure]),
  )
  await store.put(memoryKey(of), Buffer.from(JSON.stringify({ format: 1, progress, known: runs })))
}

function memoryKey(of: Pick<JobId, 'pipeline' | 'generation'>): string {
  return `${jobsPrefix(of)}memory.json`
}

function lastRunOf([revision, measure]: readonly [number, number]) {
  return { revision, measure, isOpen: false }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]))
}

function parsedJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}
