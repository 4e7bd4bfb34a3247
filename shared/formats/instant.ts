import { UnstorableError } from './unstorable.ts'

/** Milliseconds that are exact in a double when multiplied by 1,000: until the year 2255. */
const EXACT_MS = 9_000_000_000_000
const ISO =
  /^(?<y>\d{4})-(?<mo>\d\d)-(?<d>\d\d)T(?<h>\d\d):(?<mi>\d\d)(?::(?<s>\d\d)(?:\.(?<fraction>\d+))?)?(?<zone>Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/

/** A `Date`, milliseconds or ISO 8601 text → whole microseconds (or milliseconds) since 1970. @throws UnstorableError */
export function storedInstant(value: unknown, unit: 'us' | 'ms', utc: boolean): bigint {
  if (typeof value === 'string') return instantOfText(value, unit, utc)
  const ms = value instanceof Date ? value.getTime() : value
  if (typeof ms !== 'number' || !Number.isSafeInteger(ms))
    throw new UnstorableError('expected a time, found an invalid date')
  if (unit === 'ms') return BigInt(ms)
  return Math.abs(ms) < EXACT_MS ? BigInt(ms * 1000) : BigInt(ms) * 1000n
}

function instantOfText(text: string, unit: 'us' | 'ms', utc: boolean): bigint {
  const parts = ISO.exec(text)?.groups
  if (parts === undefined) throw new UnstorableError('expected a date and time of ISO 8601')
  const { fraction = '', zone } = parts
  if (utc !== (zone !== undefined))
    throw new UnstorableError(utc ? 'expected a time with its offset from UTC' : 'expected a time without an offset')
  const [year, month, day, hour, minute, second] = ['y', 'mo', 'd', 'h', 'mi', 's'].map((part) =>
    Number(parts[part] ?? 0),
  )
  const date = new Date(0)
  date.setUTCFullYear(year as number, (month as number) - 1, day)
  date.setUTCHours(hour as number, minute, second)
  if (date.toISOString().slice(0, 19) !== `${text.slice(0, 16)}:${String(second).padStart(2, '0')}`)
    throw new UnstorableError('expected a date and time that the calendar has')
  const digits = unit === 'us' ? 6 : 3
  if (/[1-9]/.test(fraction.slice(digits))) throw new UnstorableError(`expected at most ${digits} digits of a second`)
  const scale = BigInt(10 ** digits)
  const seconds = BigInt(date.getTime() / 1000 - zoneSeconds(zone))
  return seconds * scale + BigInt(fraction.slice(0, digits).padEnd(digits, '0'))
}

function zoneSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  return sign * (Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(-2)) * 60)
}

/** `2013-01-31` → days since 1970-01-01. @throws UnstorableError */
export function storedDate(value: unknown): number {
  const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)
  const ms = isDate ? Date.parse(`${value}T00:00:00Z`) : Number.NaN
  // `Date` makes March 2 of February 30.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value)
    throw new UnstorableError('expected a date of the calendar, as 2013-01-31')
  return ms / 86_400_000
}
