import type { PartitionValues } from './commit.ts'
import type { PartitionField, PartitionSpec } from './partition-spec.ts'

/** How long the windows of a table are: those of its first partition field that is a time. */
export type Grain = 'hour' | 'day' | 'month' | 'year'

/** From `start` to before `end`, in milliseconds since 1970. */
export interface TimeWindow {
  readonly start: number
  readonly end: number
}

const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000
const GRAINS: readonly string[] = ['hour', 'day', 'month', 'year'] satisfies Grain[]

/** The column that a table's windows are of, and how long they are. */
export interface Windows {
  readonly column: string
  readonly grain: Grain
}

/** The windows that a table is partitioned into; null when no partition field is a time (or one instant is a partition). */
export function windowsOf(spec: PartitionSpec): Windows | null {
  const field = spec.find(({ isTime }) => isTime)
  const grain = field === undefined ? undefined : grainOf(field)
  return field === undefined || grain === undefined ? null : { column: field.column, grain }
}

function grainOf({ transform, source }: PartitionField): Grain | undefined {
  if (transform === 'identity') return source.kind === 'date' ? 'day' : undefined
  return GRAINS.includes(transform) ? (transform as Grain) : undefined
}

/** The window that a time is in. */
export function windowAt(grain: Grain, time: number): TimeWindow {
  switch (grain) {
    case 'hour':
    case 'day': {
      const length = grain === 'hour' ? MS_PER_HOUR : MS_PER_DAY
      const start = Math.floor(time / length) * length
      return { start, end: start + length }
    }
    default: {
      const date = new Date(time)
      const month = grain === 'month' ? date.getUTCMonth() : 0
      const next = grain === 'month' ? [date.getUTCFullYear(), month + 1] : [date.getUTCFullYear() + 1, 0]
      return { start: monthStart(date.getUTCFullYear(), month), end: monthStart(next[0] as number, next[1] as number) }
    }
  }
}

/** `Date.UTC` takes a year below 100 for one of the twentieth century. */
function monthStart(year: number, month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, 1)
  return date.getTime()
}

/** A window as the directories of its files name it: `2013-01-01-05`, `2013-01-01`, `2013-01`, `2013`. */
export function windowName(grain: Grain, { start }: TimeWindow): string {
  const date = new Date(start)
  const year = date.getUTCFullYear()
  const shown = year < 0 ? `-${String(-year).padStart(3, '0')}` : String(year).padStart(4, '0')
  if (grain === 'year') return shown
  const month = `${shown}-${twoDigits(date.getUTCMonth() + 1)}`
  if (grain === 'month') return month
  const day = `${month}-${twoDigits(date.getUTCDate())}`
  return grain === 'day' ? day : `${day}-${twoDigits(date.getUTCHours())}`
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number)
}

const NAME = /^(?<year>-?\d{3,6})(?:-(?<month>\d\d)(?:-(?<day>\d\d)(?:-(?<hour>\d\d))?)?)?$/

/** The window of a name; undefined when it names none of that length. */
export function parseWindow(grain: Grain, name: string): TimeWindow | undefined {
  const { year, month = '01', day = '01', hour = '00' } = NAME.exec(name)?.groups ?? {}
  if (year === undefined) return undefined
  const date = new Date(monthStart(Number(year), Number(month) - 1) + (Number(day) - 1) * MS_PER_DAY)
  const time = date.getTime() + Number(hour) * MS_PER_HOUR
  if (Number.isNaN(time)) return undefined
  const window = windowAt(grain, time)
  return windowName(grain, window) === name ? window : undefined
}

/**
 * The times that a file's rows can have in the column of the windows, by the partition that the file is of; a table whose
 * windows were longer or shorter once has files of those, too.
 * @returns null when the rows have no time, or none is known of the file
 */
export function partitionTimes(partition: PartitionValues, column: string): TimeWindow | null {
  for (const grain of ['hour', 'day', 'month', 'year'] as const) {
    const value = partition[`${column}_${grain}`]
    if (typeof value === 'number') return windowAt(grain, firstInstant(grain, value))
  }
  const value = partition[column]
  const day = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(day) ? null : windowAt('day', day)
}

/** Partition values of times count from 1970 (Iceberg's specification, "Partition Transforms"). */
function firstInstant(grain: Grain, value: number): number {
  if (grain === 'hour') return value * MS_PER_HOUR
  if (grain === 'day') return value * MS_PER_DAY
  return grain === 'month' ? monthStart(1970, value) : monthStart(1970 + value, 0)
}

/** The windows that a span of time touches, the earliest first. */
export function* windowsWithin(grain: Grain, { start, end }: TimeWindow): Iterable<TimeWindow> {
  for (let window = windowAt(grain, start); window.start < end; window = windowAt(grain, window.end)) yield window
}
