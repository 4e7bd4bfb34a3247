import * as fc from 'fast-check'
import { newYorkInstant } from '#functions/flights/new-york-time.ts'

const iso = (local: string): string => newYorkInstant(local).toISOString().replace(':00.000Z', 'Z')

const parts = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
})

/** What a clock in New York shows at an instant, as `2013-01-01T05:15`. */
function newYorkClock(instant: number): string {
  const shown = Object.fromEntries(parts.formatToParts(instant).map(({ type, value }) => [type, value]))
  return `${shown['year']}-${shown['month']}-${shown['day']}T${shown['hour']}:${shown['minute']}`
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

test.each([
  ['winter, five hours behind', '2013-01-01T05:15', '2013-01-01T10:15Z'],
  ['summer, four hours behind', '2013-07-27T01:06', '2013-07-27T05:06Z'],
  ['the evening is the next day in UTC', '2013-01-31T23:59', '2013-02-01T04:59Z'],
  ['before the clocks go forward', '2013-03-10T01:59', '2013-03-10T06:59Z'],
  ['the minute after', '2013-03-10T03:00', '2013-03-10T07:00Z'],
  ['later that day', '2013-03-10T23:59', '2013-03-11T03:59Z'],
  ['before the clocks go back', '2013-11-03T00:59', '2013-11-03T04:59Z'],
  ['the hour that comes twice: its first coming', '2013-11-03T01:00', '2013-11-03T05:00Z'],
  ['the last minute of it', '2013-11-03T01:59', '2013-11-03T05:59Z'],
  ['the minute after both', '2013-11-03T02:00', '2013-11-03T07:00Z'],
  ['the rule before 2007: April', '2006-03-12T02:30', '2006-03-12T07:30Z'],
  ['war time, summer and winter alike', '1943-01-15T12:00', '1943-01-15T16:00Z'],
  ['a leap day', '2024-02-29T23:30', '2024-03-01T04:30Z'],
])('%s', (_what, local, expected) => {
  expect(iso(local)).toBe(expected)
})

test('a time in the hour that is left out is refused, each of its minutes and every time', () => {
  for (const minute of [...Array.from({ length: 60 }).keys(), 0]) {
    const local = `2013-03-10T02:${String(minute).padStart(2, '0')}`
    expect(() => newYorkInstant(local)).toThrow(RangeError)
  }
})

test('what New York clocks show is that instant, or one hour later when the hour comes twice', () => {
  const instants = fc.integer({ min: Date.UTC(1900, 0, 1) / MINUTE, max: Date.UTC(2100, 0, 1) / MINUTE })
  fc.assert(
    fc.property(instants, (minutes) => {
      const instant = minutes * MINUTE
      const local = newYorkClock(instant)
      const found = newYorkInstant(local).getTime()
      return found === instant || (found === instant - HOUR && newYorkClock(found) === local)
    }),
    { numRuns: 2000 },
  )
})

test('more hours than are kept make no difference', () => {
  // The third year asks again for hours that were let go meanwhile.
  for (const year of [2012, 2013, 2012]) {
    for (let instant = Date.UTC(year, 0, 2); instant < Date.UTC(year + 1, 0, 2); instant += 37 * MINUTE) {
      const found = newYorkInstant(newYorkClock(instant)).getTime()
      if (found !== instant && newYorkClock(instant - HOUR) !== newYorkClock(instant))
        throw new Error(`${newYorkClock(instant)} is ${new Date(found).toISOString()}`)
    }
  }
  expect(iso('2013-03-10T03:00')).toBe('2013-03-10T07:00Z')
})
