import * as z from 'zod'
import { columnsOf } from '#shared/pipeline/row-columns.ts'
import { partitionSpecOf } from '#shared/pipeline/partition-spec.ts'
import type { DeclaredPartitions } from '#shared/pipeline/partition-by.ts'
import {
  type Grain,
  parseWindow,
  partitionTimes,
  windowAt,
  windowName,
  windowsOf,
} from '#shared/pipeline/time-window.ts'

const GRAINS: readonly Grain[] = ['hour', 'day', 'month', 'year']
const columns = columnsOf(z.object({ at: z.date(), on: z.iso.date().meta({ column: 'date' }), code: z.string() }))
const windows = (partitionBy: DeclaredPartitions) => windowsOf(partitionSpecOf(partitionBy, columns))

test('the windows of a table are those of its first partition field that is a time', () => {
  expect(windows({ code: 'identity', at: 'hour', on: 'day' })).toEqual({ column: 'at', grain: 'hour' })
  expect(windows({ on: 'identity' })).toEqual({ column: 'on', grain: 'day' })
  expect(windows({ on: 'month' })).toEqual({ column: 'on', grain: 'month' })
  // One instant is no window.
  expect(windows({ at: 'identity' })).toBeNull()
  expect(windows({ code: { bucket: 4 } })).toBeNull()
})

test.each([
  ['hour', '2013-03-10T05:59:59.999Z', '2013-03-10-05'],
  ['day', '2013-03-10T05:59:59.999Z', '2013-03-10'],
  ['month', '2012-02-29T00:00:00.000Z', '2012-02'],
  ['month', '2012-12-31T23:59:59.999Z', '2012-12'],
  ['year', '1969-12-31T23:59:59.999Z', '1969'],
  ['year', '0044-03-15T00:00:00.000Z', '0044'],
  ['day', '-000044-03-15T00:00:00.000Z', '-044-03-15'],
  ['hour', '+012013-03-10T05:00:00.000Z', '12013-03-10-05'],
] as const)('a window by %s: %s is in %s', (grain, time, name) => {
  const window = windowAt(grain, Date.parse(time))
  expect(windowName(grain, window)).toBe(name)
  expect(parseWindow(grain, name)).toEqual(window)
  expect(window.start <= Date.parse(time) && Date.parse(time) < window.end).toBe(true)
  expect(windowAt(grain, window.end).start).toBe(window.end)
})

test.each(['2013-02-30', '2013-13-01', '2013', '2013-01-01-05', 'table', ''])('"%s" names no day', (name) => {
  expect(parseWindow('day', name)).toBeUndefined()
})

test('partition values count from 1970, and tell the times of a file', () => {
  const time = Date.parse('2013-03-10T05:00:00Z')
  const values = { hour: time / 3_600_000, day: 15_774, month: 518, year: 43 }
  for (const grain of GRAINS)
    expect(partitionTimes({ code: 'x', [`at_${grain}`]: values[grain] }, 'at')).toEqual(windowAt(grain, time))
  expect(partitionTimes({ on: '2013-03-10' }, 'on')).toEqual(windowAt('day', time))
  expect(partitionTimes({ at_day: null }, 'at')).toBeNull()
  expect(partitionTimes({ code: 'x' }, 'at')).toBeNull()
  expect(partitionTimes({ at_month: -1 }, 'at')).toEqual(windowAt('month', Date.parse('1969-12-01')))
})
