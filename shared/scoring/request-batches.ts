import type { Score } from '#shared/pipeline/score.ts'
import { EndpointFault } from './endpoint-faults.ts'

/** A row as its score's codec has encoded it, and which of the features it is of. */
export interface EncodedRow {
  readonly index: number
  readonly body: string | Uint8Array
}

/** What goes around a row in a body at the most: a line end, or a comma. */
const BETWEEN = 2
/** What goes around all of them. */
const AROUND = 64

/**
 * Encodes rows and packs them, in their order, into as few requests as the limits of the score allow.
 * @param onInvalid called with the index of each row that cannot be encoded, or fits no request
 */
export function requestBatches(
  { codec, maxRows, maxBytes }: Score,
  features: readonly unknown[],
  onInvalid: (index: number) => void,
): EncodedRow[][] {
  const batches: EncodedRow[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const [index, of] of features.entries()) {
    const body = attempt(() => codec.encodeRow(of as never))
    const size = body === undefined ? Number.POSITIVE_INFINITY : Buffer.byteLength(body) + BETWEEN
    if (body === undefined || size + AROUND > maxBytes) {
      onInvalid(index)
      continue
    }
    const last = batches.at(-1)
    if (last !== undefined && last.length < maxRows && bytes + size <= maxBytes) {
      last.push({ index, body })
      bytes += size
    } else {
      batches.push([{ index, body }])
      bytes = AROUND + size
    }
  }
  return batches
}

/** @throws EndpointFault of kind `response` when the codec cannot make a body of these rows */
export function bodyOf(batch: readonly EncodedRow[], { codec }: Score): string | Uint8Array {
  try {
    return codec.encodeBody(batch.map(({ body }) => body))
  } catch (error) {
    throw new EndpointFault('response', `no body could be made of ${batch.length} rows`, { cause: error })
  }
}

/** Two requests in place of one. */
export function halves(batch: readonly EncodedRow[]): [EncodedRow[], EncodedRow[]] {
  const middle = batch.length >> 1
  return [batch.slice(0, middle), batch.slice(middle)]
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
