import type { InletError } from './errors.ts'
import type { Delivery, SliceReport } from './process-batch.ts'
import type { Trigger } from './trigger.ts'

/** Thrown to Lambda, so that it delivers the whole batch again. */
export class BatchFailedError extends Error {
  override readonly name = 'BatchFailedError'
}

/** One record that has to be delivered again, as Lambda identifies it: `{ partition: 'flights-0', offset: 100 }`. */
interface BatchItemFailure {
  readonly itemIdentifier: { readonly partition: string; readonly offset: number }
}

/** What a trigger that listens for it is told (AWS Lambda Developer Guide, "Report batch item failures" for Kafka). */
export interface BatchResponse {
  readonly batchItemFailures: readonly BatchItemFailure[]
}

/**
 * What Lambda has to be told of a batch: nothing when every slice is durable.
 *
 * A trigger that takes no partial answer retries the whole batch or none of it. One that does is given every record of
 * the slices that failed, so that it is right whether Lambda goes on from the lowest of a partition or delivers just
 * those that are named; what has landed already is dropped when it comes again.
 * @param reports one for each partition of the delivery, in its order
 * @throws BatchFailedError naming each slice that failed, and why, for a trigger without partial responses
 */
export function batchResponse(
  reports: readonly SliceReport[],
  delivery: Delivery,
  { partialResponses }: Pick<Trigger, 'partialResponses'>,
): BatchResponse | undefined {
  if (partialResponses) return { batchItemFailures: delivery.partitions.flatMap(failuresOf(reports)) }
  const failed = reports.filter((report): report is SliceReport & { error: InletError } => report.error !== null)
  if (failed.length === 0) return undefined
  const reasons = failed.map(
    ({ topic, partition, firstOffset, lastOffset, error }) =>
      `${topic}-${partition}@${firstOffset}…${lastOffset}: ${error.code} (${error.stage}): ${error.message}`,
  )
  throw new BatchFailedError(
    `${failed.length} of ${reports.length} slices have to be delivered again. ${reasons.join(' ')}`,
  )
}

/** Every record of a slice that failed; none of a slice that is durable. */
function failuresOf(reports: readonly SliceReport[]) {
  return ({ topic, partition, records }: Delivery['partitions'][number], i: number): BatchItemFailure[] =>
    reports[i]?.error === null
      ? []
      : records.map(({ offset }) => ({ itemIdentifier: { partition: `${topic}-${partition}`, offset } }))
}
