import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { costsOf } from './costs.ts'
import { costsPage } from './costs-page.ts'
import { PRICES, PRICES_READ } from './prices.ts'
import { fileSizes, type Workload } from './workload.ts'

/**
 * What `inlet cost` prints, for people and as JSON.
 * @param firehose what Firehose takes for a GB, when somebody knows
 */
export function costsReport(
  pipeline: Pipeline,
  workload: Workload,
  firehose?: number,
): { page: string; json: unknown } {
  const costs = costsOf(pipeline, workload, firehose)
  const sizes = fileSizes(costs.batches, workload)
  const page = costsPage(pipeline.name, workload, costs, sizes)
  // JSON has no infinity: the last part has no end.
  const files = sizes.map(({ below, share }) => ({ below: Number.isFinite(below) ? below : null, share }))
  return { page, json: { pipeline: pipeline.name, workload, ...costs, files, read: PRICES_READ, prices: PRICES } }
}
