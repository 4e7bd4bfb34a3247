import { shortestBytes } from '#shared/formats/single-value.ts'
import { storedForm } from '#shared/formats/stored-form.ts'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import type { ColumnType } from './columns.ts'
import { hashBytes, hashInteger, hashText } from './murmur3.ts'
import type { PartitionValue } from './partition.ts'
import type { PartitionField } from './partition-spec.ts'

/** A value of a column, which is not null → the value of a partition field. @throws UnstorableError */
export type Transform = (value: unknown) => PartitionValue

/** What Iceberg's specification says under "Partition Transforms" of a field's transform and the type of its column. */
export function transformOf({ source, transform }: Pick<PartitionField, 'source' | 'transform'>): Transform {
  switch (transform) {
    case 'identity':
      return identityOf(source)
    case 'hour':
      return afterMilliseconds(source, (ms) => inInt32(Math.floor(ms / MS_PER_HOUR)))
    case 'day':
      return afterMilliseconds(source, (ms) => Math.floor(ms / MS_PER_DAY))
    case 'month':
      return afterMilliseconds(source, (ms) => {
        const date = calendarAt(ms)
        return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
      })
    case 'year':
      return afterMilliseconds(source, (ms) => calendarAt(ms).getUTCFullYear() - 1970)
    default: {
      const parameter = Number(/\d+/.exec(transform)?.[0])
      return transform.startsWith('bucket') ? bucketOf(source, parameter) : truncateOf(source, parameter)
    }
  }
}

const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000
/** Milliseconds that are exact in a double when multiplied by 1,000: until the year 2255. */
const EXACT_MS = 9_000_000_000_000
/** As far from 1970 as a Date can be. */
const MAX_MS = 8_640_000_000_000_000
const INT32_MIN = -(2 ** 31)
const storedInteger = storedForm({ kind: 'int64' })

/** The value in the one form that all its equals have, so that they share a partition. */
function identityOf(source: ColumnType): Transform {
  const store = storedForm(source)
  switch (source.kind) {
    case 'int32':
    case 'int64':
      return integerOf
    case 'decimal':
      return (value) => decimalText(store(value) as bigint, source.scale)
    case 'timestamp': {
      const microsecondsOf = microsecondsIn(source)
      return (value) => instantText(microsecondsOf(value), source.utc)
    }
    case 'uuid':
      return (value) => uuidText(store(value) as Buffer)
    case 'binary':
      return (value) => base64(store(value) as Uint8Array)
    case 'date':
      return (value) => {
        store(value)
        return value as string
      }
    default:
      return (value) => value as PartitionValue
  }
}

function bucketOf(source: ColumnType, buckets: number): Transform {
  const hash = hashOf(source)
  return (value) => (hash(value) & 0x7fffffff) % buckets
}

/** Appendix B of the specification. */
function hashOf(source: ColumnType): (value: unknown) => number {
  const store = storedForm(source)
  switch (source.kind) {
    case 'string':
      return (value) => hashText(value as string)
    case 'timestamp': {
      const microsecondsOf = microsecondsIn(source)
      return (value) => hashInteger(microsecondsOf(value))
    }
    case 'decimal':
      return (value) => hashBytes(shortestBytes(store(value) as bigint))
    case 'uuid':
    case 'binary':
      return (value) => hashBytes(store(value) as Uint8Array)
    case 'date':
      return (value) => hashInteger(store(value) as number)
    default:
      return (value) => hashInteger(integerOf(value))
  }
}

function truncateOf(source: ColumnType, width: number): Transform {
  const store = storedForm(source)
  switch (source.kind) {
    case 'string':
      return (value) => firstCodePoints(value as string, width)
    case 'binary':
      return (value) => base64((store(value) as Uint8Array).subarray(0, width))
    case 'decimal': {
      const limit = 10n ** BigInt(source.precision)
      return (value) => {
        const multiple = multipleBelow(store(value) as bigint, BigInt(width))
        if (multiple <= -limit) throw belowRange(width)
        return decimalText(multiple, source.scale)
      }
    }
    default: {
      const least = source.kind === 'int32' ? INT32_MIN : -(2n ** 63n)
      return (value) => {
        const integer = integerOf(value)
        const near = typeof integer === 'number' ? integer - (((integer % width) + width) % width) : Number.NaN
        const multiple = Number.isSafeInteger(near) ? near : smallest(multipleBelow(BigInt(integer), BigInt(width)))
        if (multiple < least) throw belowRange(width)
        return multiple
      }
    }
  }
}

/** A transform of the milliseconds since 1970-01-01T00:00:00 that a time or a date is. */
function afterMilliseconds(source: ColumnType, transform: (ms: number) => number): Transform {
  const store = storedForm(source)
  const inMicroseconds = source.kind === 'timestamp' && source.unit === 'us'
  return (value) => {
    if (value instanceof Date || typeof value === 'number') return transform(wholeMilliseconds(value))
    const stored = store(value) as number | bigint
    if (typeof stored === 'number') return transform(stored * MS_PER_DAY)
    return transform(Number(inMicroseconds ? multipleBelow(stored, 1000n) / 1000n : stored))
  }
}

/** Microseconds since 1970-01-01T00:00:00. */
function microsecondsIn(source: ColumnType & { kind: 'timestamp' }): (value: unknown) => number | bigint {
  const store = storedForm(source)
  return (value) => {
    if (value instanceof Date || typeof value === 'number') {
      const ms = wholeMilliseconds(value)
      return Math.abs(ms) < EXACT_MS ? ms * 1000 : BigInt(ms) * 1000n
    }
    const stored = store(value) as bigint
    return source.unit === 'us' ? stored : stored * 1000n
  }
}

function wholeMilliseconds(time: Date | number): number {
  const ms = typeof time === 'number' ? time : time.getTime()
  if (!Number.isInteger(ms)) throw new UnstorableError('expected a time, found an invalid date')
  if (Math.abs(ms) > MAX_MS) throw beyondCalendar()
  return ms
}

/** Set anew by each caller, so that no row costs a Date. */
const calendar = new Date(0)

function calendarAt(ms: number): Date {
  calendar.setTime(ms)
  return calendar
}

/** `2017-11-16T22:31:08.000000+00:00`, as the specification writes single values (Appendix D, "JSON single-value serialization"). */
function instantText(microseconds: number | bigint, utc: boolean): string {
  const micros = BigInt(microseconds)
  const ms = multipleBelow(micros, 1000n) / 1000n
  const text = calendarAt(Number(ms)).toISOString().slice(0, -1)
  return `${text}${String(micros - ms * 1000n).padStart(3, '0')}${utc ? '+00:00' : ''}`
}

/** A whole number, as bigint only where a number is not exact. −0 is 0. */
function integerOf(value: unknown): number | bigint {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new UnstorableError('expected a whole number that is exact')
    return value + 0
  }
  return smallest(storedInteger(value) as bigint)
}

function smallest(integer: bigint): number | bigint {
  const near = Number(integer)
  return Number.isSafeInteger(near) ? near : integer
}

function inInt32(value: number): number {
  if (value !== (value | 0)) throw beyondCalendar()
  return value
}

/** The greatest multiple that is not above the value. */
function multipleBelow(value: bigint, width: bigint): bigint {
  return value - (((value % width) + width) % width)
}

/** A text's beginning, without cutting a surrogate pair. */
function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text
  let end = 0
  for (let i = 0; i < count && end < text.length; i++) end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1
  return text.slice(0, end)
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`
}

function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function beyondCalendar(): UnstorableError {
  return new UnstorableError('the time is too far from 1970 for a partition')
}

function belowRange(width: number): UnstorableError {
  return new UnstorableError(`its column cannot hold the multiple of ${width} below the value`)
}
