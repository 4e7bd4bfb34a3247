import type { InletError } from './errors.ts'
import type { SliceReport } from './process-batch.ts'

/** Thrown to Lambda, so that it delivers the whole batch again. */
export class BatchFailedError extends Error {
  override readonly name = 'BatchFailedError'
}

/**
 * What Lambda has to be told of a batch: nothing when every slice is durable.
 * An on-demand trigger knows no partial answer: it retries the whole batch or none of it, and what has landed already is
 * dropped when it comes again.
 * @throws BatchFailedError naming each slice that failed, and why.
 */
export function batchResponse(reports: readonly SliceReport[]): void {
  const failed = reports.filter((report): report is SliceReport & { error: InletError } => report.error !== null)
  if (failed.length === 0) return
  const reasons = failed.map(
    ({ topic, partition, firstOffset, lastOffset, error }) =>
      `${topic}-${partition}@${firstOffset}…${lastOffset}: ${error.code} (${error.stage}): ${error.message}`,
  )
  throw new BatchFailedError(
    `${failed.length} of ${reports.length} slices have to be delivered again. ${reasons.join(' ')}`,
  )
}
