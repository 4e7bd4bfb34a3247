const MS_PER_MINUTE = 60_000
const MS_PER_DAY = 86_400_000
/** Hours kept: more than a year of them, and still little memory whatever dates producers send. */
const HOURS_KEPT = 10_000

const newYork = new Intl.DateTimeFormat('en-US', { timeZone: 'America/New_York', timeZoneName: 'longOffset' })
const hours = new Map<string, number>()

/**
 * New York wall-clock time → instant. The hour that comes twice when clocks go back is its first coming; a time in the
 * hour that is left out when they go forward is refused, for nothing can happen then.
 *
 * The time zone database is asked once per hour and not per minute: New York's clocks have changed on the hour ever since
 * they took standard time, on 1883-11-18.
 * @param local `2013-01-01T05:15`, a date that the calendar has
 * @throws RangeError for a time that does not exist in New York
 */
export function newYorkInstant(local: string): Date {
  const hour = local.slice(0, 13)
  let start = hours.get(hour)
  if (start === undefined) {
    start = startOfHour(hour)
    if (hours.size === HOURS_KEPT) hours.clear()
    hours.set(hour, start)
  }
  return new Date(start + Number(local.slice(14)) * MS_PER_MINUTE)
}

/** @param hour `2013-01-01T05` */
function startOfHour(hour: string): number {
  const asUtc = Date.parse(`${hour}:00Z`)
  // The offsets of the day before and the day after are those on either side of a change of clocks; the earlier first.
  for (const offset of [offsetAt(asUtc - MS_PER_DAY), offsetAt(asUtc + MS_PER_DAY)]) {
    const instant = asUtc - offset
    if (offsetAt(instant) === offset) return instant
  }
  throw new RangeError('a local time in the hour that New York leaves out when its clocks go forward')
}

/** How far New York is ahead of UTC at an instant, in milliseconds: negative, for it is west of Greenwich. */
function offsetAt(instant: number): number {
  // Seconds are there before standard time only: "GMT-04:56:02".
  const [, hour, minute, second = '0'] = /GMT-(\d\d):(\d\d)(?::(\d\d))?$/.exec(newYork.format(instant)) ?? []
  return -1000 * (Number(hour) * 3600 + Number(minute) * 60 + Number(second))
}
