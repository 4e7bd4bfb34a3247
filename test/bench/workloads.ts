import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { flights } from '#functions/flights/pipeline.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import { github, githubEvents } from '#test/helpers/github-events.ts'
import { clicks } from './clicks.ts'

/** A batch of real or realistic records for a pipeline. */
export interface Workload {
  readonly name: string
  readonly pipeline: Pipeline
  /** JSON texts, one a record. */
  readonly values: readonly string[]
}

const JANUARY = new URL('../../events/flights/2013-01.ndjson.gz', import.meta.url)

const Click = z.object({
  event_id: z.uuid(),
  user_id: z.int().min(0),
  session_id: z.string().min(1).max(64),
  event_type: z.enum(['page_view', 'click', 'add_to_cart', 'purchase', 'search', 'login']),
  ts: z.int(),
  received_at: z.iso.datetime(),
  page_url: z.string().max(2048),
  country: z.string().length(2),
  amount: z.number().nullable(),
  quantity: z.int32().min(0),
  success: z.boolean(),
  device: z.object({ os: z.string(), version: z.string(), screen_w: z.int32().nullish() }),
  tags: z.array(z.string().max(32)).max(20),
})

const clickPipeline = definePipeline({
  name: 'clicks',
  topic: 'clicks',
  event: Click,
  row: Click.extend({ at: z.date() }).omit({ ts: true }),
  transform: ({ value: { ts, ...click } }) => ({ ...click, at: new Date(ts) }),
  lake: { table: 'clicks', layout: 'files', partitionBy: { at: 'day' } },
})

const lines = (file: URL): string[] => gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n')

/** The workloads of the benchmarks; the GitHub events only where their file is. */
export function workloads(): Workload[] {
  const found: Workload[] = [
    { name: 'flights', pipeline: flights, values: lines(JANUARY).slice(0, 9000) },
    { name: 'clicks', pipeline: clickPipeline, values: clicks(10_000) },
  ]
  const events = githubEvents()
  if (events !== undefined) found.push({ name: 'github', pipeline: github, values: events.slice(0, 2000) })
  return found
}
