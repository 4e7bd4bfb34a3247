import { fromBytes } from './iceberg/single-value.ts'

const DATE_BYTES = 4
const MS_PER_DAY = 86_400_000

/**
 * A bound that a file's statistics have of a time, in milliseconds since 1970: a date is days, a timestamp microseconds (Iceberg's
 * specification, Appendix D).
 */
export function timeOfBound(bound: Uint8Array): number {
  if (bound.length === DATE_BYTES) return Number(fromBytes('date', bound)) * MS_PER_DAY
  return Math.floor(Number(fromBytes('timestamptz', bound)) / 1000)
}
