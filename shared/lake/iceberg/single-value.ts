/** Values of Iceberg's primitive types as bytes and back (specification, Appendix D, "Binary single-value serialization"). */
import { type SingleKind, type SingleValue, singleValueBytes } from '#shared/formats/single-value.ts'

export type { SingleValue } from '#shared/formats/single-value.ts'

const KINDS: Readonly<Record<string, SingleKind>> = {
  boolean: 'boolean',
  int: 'int32',
  long: 'int64',
  float: 'float',
  double: 'double',
  date: 'date',
  time: 'int64',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  string: 'string',
  uuid: 'uuid',
  binary: 'binary',
}

/** How the values of a primitive type are kept; as bytes where this version does not know the type. */
export function kindOf(primitive: string): SingleKind {
  return KINDS[primitive] ?? (primitive.startsWith('decimal') ? 'decimal' : 'binary')
}

/** `decimal(9, 2)` → 9 digits. */
export function precisionOf(primitive: string): number {
  return Number(/^decimal\(\s*(\d+)/.exec(primitive)?.[1])
}

/** @throws RangeError when a value is not of the type */
export function toBytes(primitive: string, value: SingleValue): Uint8Array {
  return singleValueBytes(kindOf(primitive), value)
}

/** Bytes that were written when the type was narrower are read as such (specification, "Schema Evolution"). */
export function fromBytes(primitive: string, bytes: Uint8Array): SingleValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (kindOf(primitive)) {
    case 'boolean':
      return bytes[0] !== 0
    case 'int32':
    case 'date':
      return view.getInt32(0, true)
    case 'int64':
      return bytes.length === 4 ? BigInt(view.getInt32(0, true)) : view.getBigInt64(0, true)
    case 'timestamp':
      return view.getBigInt64(0, true)
    case 'float':
      return view.getFloat32(0, true)
    case 'double':
      return bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true)
    case 'decimal':
      return signedBigEndian(bytes)
    case 'string':
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    case 'uuid':
    case 'binary':
      return bytes
  }
}

/** Two's complement, big-endian → the number. */
export function signedBigEndian(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return hex === '' ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex}`))
}

/** The order in which bounds are compared: bytes unsigned, texts by their code points. */
export function compareValues(a: SingleValue, b: SingleValue): number {
  if (typeof a === 'object' || typeof a === 'string') return Buffer.compare(rawBytes(a), rawBytes(b))
  return Number(a) === Number(b) ? compareExact(a, b) : Number(a) < Number(b) ? -1 : 1
}

/** What is the same as a double may differ as a bigint; −0 comes before 0. */
function compareExact(a: SingleValue, b: SingleValue): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  return Number(Object.is(b, -0)) - Number(Object.is(a, -0))
}

function rawBytes(value: SingleValue): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array)
}
