import type { Score } from '#shared/pipeline/score.ts'
import { EndpointFault } from './endpoint-faults.ts'
import type { EndpointAnswer } from './sagemaker-endpoint.ts'

/**
 * The predictions of an answer, one for each row in the order of the request. An answer that has another number of them is none:
 * nobody could say which row each is of.
 * @throws EndpointFault of kind `response`
 */
export function predictionsOf(
  { codec, into }: Score,
  { body, contentType }: Pick<EndpointAnswer, 'body' | 'contentType'>,
  rows: number,
): readonly unknown[] {
  // A page of whatever stands in between would pass for one row of CSV.
  if (contentType.startsWith('text/html')) throw new EndpointFault('response', 'the answer is a page of HTML')
  let predictions: readonly unknown[]
  try {
    predictions = codec.decode(body)
  } catch (error) {
    throw new EndpointFault('response', `the answer cannot be read as ${codec.accept ?? codec.contentType}`, {
      cause: error,
    })
  }
  // Some containers write all predictions of CSV in one line (XGBoost's, until its version 1.2).
  const [first] = predictions
  const isOneLine = predictions.length === 1 && rows > 1 && into.length === 1 && into[0]?.part === null
  const all = isOneLine && Array.isArray(first) ? (first as readonly unknown[]) : predictions
  if (all.length === rows) return all
  throw new EndpointFault('response', `${all.length} predictions for ${rows} rows`)
}
