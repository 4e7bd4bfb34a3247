import * as z from 'zod'
import type { KnownRuns } from '#shared/jobs/due.ts'
import type { Progress } from '#shared/jobs/progress.ts'
import { type JobId, jobsPrefix } from '#shared/jobs/run-id.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'

const Count = z.int().min(0)
const Windows = z.record(z.string(), z.object({ rows: Count, smallFiles: Count, lastAt: z.number() }))
const Known = z.record(z.string(), z.record(z.string(), z.tuple([Count, Count])))
const Memory = z.object({
  format: z.literal([1, 2]),
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
    windows: Windows,
    rows: Count,
    smallFiles: Count,
  }),
  known: Known,
  archive: z.object({ key: z.string(), jobs: z.string() }).nullable().default(null),
})
const Settled = z.object({ windows: Windows, known: Known })

/** The runs that are over, by job. */
export type RunsByJob = Readonly<Record<string, KnownRuns>>

/**
 * What a round of the scheduler leaves to the next: what it has read, so that it is not read again. All of it is told anew by the
 * log and the records of runs: it may be lost, or be older than somebody else's.
 */
export interface JobMemory {
  readonly progress: Progress
  readonly known: RunsByJob
  /** Where the windows are that no job is due for (see `settled-windows.ts`), and the jobs that this was said of. */
  readonly archive: { readonly key: string; readonly jobs: string } | null
}

/** Windows, and the last run of each job for them. */
export interface SettledWindows {
  readonly windows: Progress['windows']
  readonly known: RunsByJob
}

/** @returns undefined when there is none, or it is of another version of Inlet */
export async function readMemory(
  store: ObjectStore,
  of: Pick<JobId, 'pipeline' | 'generation'>,
): Promise<JobMemory | undefined> {
  const parsed = Memory.safeParse(parsedJson(await store.get(memoryKey(of))))
  if (!parsed.success) return undefined
  const { progress, known, archive } = parsed.data
  return { progress, known: unpacked(known), archive }
}

export async function writeMemory(
  store: ObjectStore,
  of: Pick<JobId, 'pipeline' | 'generation'>,
  { progress, known, archive }: JobMemory,
): Promise<void> {
  await store.put(memoryKey(of), encoded({ format: 2, progress, known: packed(known), archive }))
}

/** @returns undefined when it is not there any more */
export async function readArchive(store: ObjectStore, key: string): Promise<SettledWindows | undefined> {
  const parsed = Settled.safeParse(parsedJson(await store.get(key)))
  return parsed.success ? { windows: parsed.data.windows, known: unpacked(parsed.data.known) } : undefined
}

export async function writeArchive(store: ObjectStore, key: string, { windows, known }: SettledWindows): Promise<void> {
  await store.put(key, encoded({ windows, known: packed(known) }))
}

/** Below it, the archives of a pipeline's windows: each of them never changes. */
export function archivesPrefix(of: Pick<JobId, 'pipeline' | 'generation'>): string {
  return `${jobsPrefix(of)}windows/`
}

function memoryKey(of: Pick<JobId, 'pipeline' | 'generation'>): string {
  return `${jobsPrefix(of)}memory.json`
}

type Packed = z.output<typeof Known>

function packed(known: RunsByJob): Packed {
  // What is open is marked as such by itself.
  return mapValues(known, (runs) => mapValues(runs, ({ revision, measure }): [number, number] => [revision, measure]))
}

function unpacked(known: Packed): RunsByJob {
  return mapValues(known, (runs) =>
    mapValues(runs, ([revision, measure]) => ({ revision, measure, isOpen: false as boolean })),
  )
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]))
}

function encoded(content: object): Uint8Array {
  return Buffer.from(JSON.stringify(content))
}

function parsedJson(body: Uint8Array | undefined): unknown {
  try {
    return body === undefined ? undefined : JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}
