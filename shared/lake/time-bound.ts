const DATE_BYTES = 4
const MS_PER_DAY = 86_400_000

/**
 * A bound that a file's statistics have of a time, in milliseconds since 1970: a date is days, a timestamp microseconds (Iceberg's
 * specification, Appendix D).
 */
export function timeOfBound(bound: Uint8Array): number {
  const bytes = Buffer.from(bound.buffer, bound.byteOffset, bound.length)
  if (bytes.length === DATE_BYTES) return bytes.readInt32LE(0) * MS_PER_DAY
  return Math.floor(Number(bytes.readBigInt64LE(0)) / 1000)
}
