import * as z from 'zod'
import type { DeadLetterChoice } from '#shared/lake/dead-letters-land.ts'
import { redriveDeadLetters, type RedriveOptions, type RedrivePlace } from '#shared/lake/dead-letters-redrive.ts'
import { deadLettersOf } from '#shared/lake/dead-letters.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'

/**
 * The pipeline `sensors` as its owner has mended it: the number of the beast is a reading like any other, and so is one
 * without a time. What is no JSON stays poison.
 */
export const mended: Pipeline = definePipeline({
  name: 'sensors',
  topic: 'sensors',
  event: z.object({
    sensor: z.string(),
    at: z.iso.datetime().default('2026-01-04T10:00:00Z'),
    value: z.number().nullable(),
  }),
  row: z.object({ sensor: z.string(), at: z.date(), value: z.number().nullable() }),
  transform: ({ value: { sensor, at, value } }) => {
    if (value === 0) return null
    const row = { sensor, at: new Date(at), value }
    return value !== null && value < 0 ? [row, { ...row, value: -value }] : row
  },
  lake: { table: 'sensors', layout: 'files', partitionBy: { at: 'day' } },
})

/** A reading without its time: the pipeline `sensors` refuses it, the mended one does not. */
export const timeless = (value: number): string => JSON.stringify({ sensor: 's1', value })

/** What a redrive came to. */
export interface Redrive {
  readonly reports: readonly SliceReport[]
  readonly next: RedrivePlace | undefined
}

/** Redrives the dead letters of a pipeline as a command does: all of them unless it is said which. */
export async function redrive(
  store: ObjectStore,
  pipeline: Pipeline = mended,
  options: Partial<Omit<RedriveOptions, 'onSlice'>> & { isMeant?: DeadLetterChoice } = {},
): Promise<Redrive> {
  const reports: SliceReport[] = []
  const next = await redriveDeadLetters(store, compileFlow(pipeline), {
    logs: {},
    isMeant: () => true,
    signal: new AbortController().signal,
    concurrency: 4,
    ...options,
    onSlice: (report) => void reports.push(report),
  })
  return { reports, next }
}

/** The open dead letters of a lake as `epoch/partition@offset`, sorted. */
export async function openIn(store: ObjectStore): Promise<string[]> {
  const open: string[] = []
  for await (const { id, log } of logsOf(store)) {
    for await (const { entries } of deadLettersOf(store, log)) {
      for (const entry of entries)
        for (const [first, last] of entry.open)
          for (let offset = first; offset <= last; offset++) open.push(`${id.epoch}/${id.partition}@${offset}`)
    }
  }
  return open.sort()
}
