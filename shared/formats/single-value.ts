/** Single values as bytes (Iceberg's specification, Appendix D, "Binary single-value serialization"), and bounds made of them. */
import type { ColumnType } from '#shared/pipeline/columns.ts'

/** A value of a type that holds no others, as it is stored (see `storedForm`); a text may be its UTF-8 bytes, too. */
export type SingleValue = boolean | number | bigint | string | Uint8Array
/** A type that holds no others. A timestamp is one of microseconds. */
export type SingleKind = Exclude<ColumnType['kind'], 'list' | 'map' | 'struct'>

/** What Iceberg's own writers cut bounds to: code points of a text, bytes of binary (`truncate(16)`). */
const BOUND_LENGTH = 16
const MAX_CODE_POINT = 0x10ffff

export function singleValueBytes(kind: SingleKind, value: SingleValue): Uint8Array {
  switch (kind) {
    case 'boolean':
      return Uint8Array.of(value === true ? 1 : 0)
    case 'int32':
    case 'date':
      return scalarBytes(4, (view) => view.setInt32(0, value as number, true))
    case 'int64':
    case 'timestamp':
      return scalarBytes(8, (view) => view.setBigInt64(0, value as bigint, true))
    case 'float':
      return scalarBytes(4, (view) => view.setFloat32(0, value as number, true))
    case 'double':
      return scalarBytes(8, (view) => view.setFloat64(0, value as number, true))
    case 'decimal':
      return shortestBytes(value as bigint)
    case 'string':
    case 'uuid':
    case 'binary':
      return typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array)
  }
}

/** A value that is not greater than the least of a column, and short. */
export function lowerBound(kind: SingleKind, least: SingleValue): Uint8Array {
  if (kind === 'string') return Buffer.from(codePointsOf(least, BOUND_LENGTH).join(''), 'utf8')
  const bytes = singleValueBytes(kind, least)
  return kind === 'binary' ? bytes.subarray(0, BOUND_LENGTH) : bytes
}

/** A value that is not less than the greatest of a column, and short. @returns null where there is none */
export function upperBound(kind: SingleKind, greatest: SingleValue): Uint8Array | null {
  if (kind === 'string') {
    const points = codePointsOf(greatest, BOUND_LENGTH + 1)
    const bound = points.length > BOUND_LENGTH ? textAbove(points.slice(0, BOUND_LENGTH)) : points.join('')
    return bound === null ? null : Buffer.from(bound, 'utf8')
  }
  const bytes = singleValueBytes(kind, greatest)
  return kind === 'binary' && bytes.length > BOUND_LENGTH ? bytesAbove(bytes.subarray(0, BOUND_LENGTH)) : bytes
}

/** Two's complement, big-endian, with no byte too many. */
export function shortestBytes(value: bigint): Uint8Array {
  let bytes = 1
  while (BigInt.asIntN(8 * bytes, value) !== value) bytes += 1
  const hex = BigInt.asUintN(8 * bytes, value).toString(16)
  return Buffer.from(hex.padStart(2 * bytes, '0'), 'hex')
}

function scalarBytes(length: number, set: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(length))
  set(view)
  return new Uint8Array(view.buffer)
}

/** The first code points of a text, which may be very long. */
function codePointsOf(value: SingleValue, count: number): string[] {
  // Four bytes of UTF-8, or two units of UTF-16, are the most that a code point takes; what is cut in two comes behind.
  const text =
    typeof value === 'string' ? value.slice(0, 2 * count) : utf8Text((value as Uint8Array).subarray(0, 4 * count))
  return Array.from(text).slice(0, count)
}

function utf8Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

/** The least text above all that begin with these code points, which is no longer than they are. */
function textAbove(points: readonly string[]): string | null {
  for (let i = points.length - 1; i >= 0; i--) {
    const code = (points[i] as string).codePointAt(0) as number
    if (code === MAX_CODE_POINT) continue
    // Surrogates are no code points of a text.
    const next = code === 0xd7ff ? 0xe000 : code + 1
    return points.slice(0, i).join('') + String.fromCodePoint(next)
  }
  return null
}

/** The least bytes above all that begin with these. */
function bytesAbove(bytes: Uint8Array): Uint8Array | null {
  const last = bytes.findLastIndex((byte) => byte !== 0xff)
  if (last < 0) return null
  // A copy, which the slice of a Buffer is not.
  const above = new Uint8Array(bytes.subarray(0, last + 1))
  above[last] = (above[last] as number) + 1
  return above
}
