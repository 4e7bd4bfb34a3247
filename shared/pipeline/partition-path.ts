import { createHash } from 'node:crypto'
import type { PartitionValue } from './partition.ts'
import type { PartitionField, PartitionSpec, PartitionTransform } from './partition-spec.ts'

const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/** File systems take names of 255 bytes. */
const MAX_DIRECTORY_BYTES = 254
/** S3 takes keys of 1,024 bytes; the rest is for the lake's prefix, the table and the file's name. */
const MAX_PATH_BYTES = 576
/** What every value but a text or bytes fits into. */
const MIN_VALUE_BYTES = 40
const DIGEST_DIGITS = 16

/**
 * The Hive-style path of a partition, as `scheduledAt_day=2013-01-01/origin=EWR`; empty for an unpartitioned table. It is for
 * people and for readers that list directories: which partition a file belongs to is what its commit says.
 */
export function partitionPath(values: readonly PartitionValue[], spec: PartitionSpec): string {
  return spec
    .map(({ name, transform }, i) => {
      const room = roomForValue(name, spec.length)
      return `${escaped(name)}=${directoryValue(shownValue(values[i] ?? null, transform), room)}`
    })
    .join('/')
}

/** The first field whose name leaves too little of its directory's name to the value. */
export function crowdedField(spec: PartitionSpec): PartitionField | undefined {
  return spec.find(({ name }) => roomForValue(name, spec.length) < MIN_VALUE_BYTES)
}

/**
 * Bytes for the value behind `<name>=`. All fields of a spec have the same share, whatever the others' values are, so that a
 * value has the same directory name everywhere.
 */
function roomForValue(name: string, fields: number): number {
  const share = Math.min(MAX_DIRECTORY_BYTES, Math.floor((MAX_PATH_BYTES + 1) / fields) - 1)
  return share - Buffer.byteLength(escaped(name)) - 1
}

/** A value as Iceberg writes it for people. */
function shownValue(value: PartitionValue, transform: PartitionTransform): string | null {
  if (value === null || value === '') return null
  switch (transform) {
    case 'hour':
      return `${dayText(Math.floor(Number(value) / 24))}-${twoDigits(modulo(Number(value), 24))}`
    case 'day':
      return dayText(Number(value))
    case 'month':
      return `${yearText(1970 + Math.floor(Number(value) / 12))}-${twoDigits(modulo(Number(value), 12) + 1)}`
    case 'year':
      return yearText(1970 + Number(value))
    default:
      return String(value)
  }
}

function dayText(day: number): string {
  const date = new Date(day * 86_400_000)
  return `${yearText(date.getUTCFullYear())}-${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`
}

/** Four places at least, one of which a minus takes. */
function yearText(year: number): string {
  return year < 0 ? `-${String(-year).padStart(3, '0')}` : String(year).padStart(4, '0')
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor
}

/** Escaped, and cut if it must be: then a digest of the whole value keeps the directories of two values apart. */
function directoryValue(value: string | null, room: number): string {
  if (value === null) return NULL_PARTITION
  const whole = escaped(value)
  if (Buffer.byteLength(whole) <= room) return whole
  const digest = createHash('sha256').update(value).digest('hex').slice(0, DIGEST_DIGITS)
  let left = room - DIGEST_DIGITS - 1
  let beginning = ''
  for (const char of value) {
    const shown = escaped(char)
    left -= Buffer.byteLength(shown)
    if (left < 0) break
    beginning += shown
  }
  return `${beginning}~${digest}`
}

/**
 * A text as one segment of a path: nothing in it can leave its directory. Alone, `.` and `..` are escaped too, for they would be
 * a way out.
 */
export function escapePath(text: string): string {
  return text === '.' || text === '..' ? text.replaceAll('.', '%2E') : escaped(text)
}

/** Percent-escapes what Hive does (FileUtils.escapePathName), and `}`, which S3 advises against as it does against `{`. */
function escaped(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is to be escaped
  return text.replace(/[\u0000-\u001f\u007f"#%'*/:=?\\{}[\]^]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
