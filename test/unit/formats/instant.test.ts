import { storedDate, storedInstant } from '#shared/formats/instant.ts'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import { BEYOND_THE_CALENDAR, SCALARS } from '#test/helpers/scalar-samples.ts'

const samplesOf = (type: string) => SCALARS.find(({ name }) => name === type)?.samples ?? []

describe('an instant', () => {
  test.each([...samplesOf('timestamp'), ...BEYOND_THE_CALENDAR])('%p in microseconds', (given, stored) => {
    expect(storedInstant(given, 'us', true)).toBe(stored)
  })

  test.each(samplesOf('timestamp_ms'))('%p in milliseconds', (given, stored) => {
    expect(storedInstant(given, 'ms', true)).toBe(stored)
  })

  test.each(samplesOf('local_timestamp'))('%p of no zone', (given, stored) => {
    expect(storedInstant(given, 'us', false)).toBe(stored)
  })

  test('dates are exact wherever they lie', () => {
    for (const ms of [9e12 - 1, 9e12, 9e12 + 1, 1e13 + 7, 8.64e15 - 1]) {
      expect(storedInstant(new Date(ms), 'us', true)).toBe(BigInt(ms) * 1000n)
      expect(storedInstant(new Date(-ms), 'us', true)).toBe(BigInt(-ms) * 1000n)
    }
  })

  test.each([
    ['an invalid date', new Date(Number.NaN), 'expected a time, found an invalid date'],
    ['a fraction of a millisecond', 1.5, 'expected a time, found an invalid date'],
    ['a number that is not exact', 2 ** 53, 'expected a time, found an invalid date'],
    ['no time at all', true, 'expected a time, found an invalid date'],
    ['an object', {}, 'expected a time, found an invalid date'],
    ['other text', 'yesterday', 'expected a date and time of ISO 8601'],
    ['no text', '', 'expected a date and time of ISO 8601'],
    ['a date alone', '2013-01-01', 'expected a date and time of ISO 8601'],
    ['a space for the T', '2013-01-01 10:00:00Z', 'expected a date and time of ISO 8601'],
    ['five digits of a year', '+10000-01-01T00:00:00Z', 'expected a date and time of ISO 8601'],
    ['a line behind it', '2013-01-01T10:00:00Z\n', 'expected a date and time of ISO 8601'],
    ['an offset of 24 hours', '2013-01-01T10:00:00+24:00', 'expected a date and time of ISO 8601'],
    ['an offset of 60 minutes', '2013-01-01T10:00:00-00:60', 'expected a date and time of ISO 8601'],
    ['a point without digits', '2013-01-01T10:00:00.Z', 'expected a date and time of ISO 8601'],
    ['February 29 of a common year', '2013-02-29T00:00:00Z', 'expected a date and time that the calendar has'],
    ['February 29 of 1900', '1900-02-29T00:00:00Z', 'expected a date and time that the calendar has'],
    ['month 13', '2013-13-01T00:00:00Z', 'expected a date and time that the calendar has'],
    ['month 0', '2013-00-01T00:00:00Z', 'expected a date and time that the calendar has'],
    ['day 0', '2013-01-00T00:00:00Z', 'expected a date and time that the calendar has'],
    ['24:00', '2013-01-01T24:00:00Z', 'expected a date and time that the calendar has'],
    ['minute 60', '2013-01-01T10:60:00Z', 'expected a date and time that the calendar has'],
    ['a leap second', '2016-12-31T23:59:60Z', 'expected a date and time that the calendar has'],
    ['no offset', '2013-01-01T10:00:00', 'expected a time with its offset from UTC'],
    ['nanoseconds', '2013-01-01T10:00:00.123456789Z', 'expected at most 6 digits of a second'],
    ['a tenth of a microsecond', '2013-01-01T10:00:00.0000001Z', 'expected at most 6 digits of a second'],
  ])('%s is refused', (_, given, reason) => {
    expect(() => storedInstant(given, 'us', true)).toThrow(new UnstorableError(reason))
  })

  test('microseconds are too fine for milliseconds', () => {
    expect(() => storedInstant('2013-01-01T10:00:00.0001Z', 'ms', true)).toThrow(
      'expected at most 3 digits of a second',
    )
  })

  test('an offset is too much for a time of no zone', () => {
    expect(() => storedInstant('2013-01-01T10:00:00Z', 'us', false)).toThrow('expected a time without an offset')
  })
})

describe('a date', () => {
  test.each(samplesOf('date'))('%p', (given, stored) => {
    expect(storedDate(given)).toBe(stored)
  })

  test.each([
    '2013-02-29',
    '2013-1-1',
    '2013-13-01',
    '2013-01-32',
    '20130101',
    '2013-01-01T00:00:00Z',
    '+2013-01-01',
    '',
  ])('%p is refused', (given) => {
    expect(() => storedDate(given)).toThrow(new UnstorableError('expected a date of the calendar, as 2013-01-31'))
  })

  test.each([new Date(0), 0, true, ['2013-01-01']])('%p is none', (given) => {
    expect(() => storedDate(given)).toThrow(UnstorableError)
  })
})
