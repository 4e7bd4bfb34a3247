import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import type { ColumnType } from '#shared/pipeline/columns.ts'
import type { PartitionValue } from '#shared/pipeline/partition.ts'
import { partitionPath } from '#shared/pipeline/partition-path.ts'
import { type PartitionTransform, partitionSpecOf } from '#shared/pipeline/partition-spec.ts'
import { transformOf } from '#shared/pipeline/partition-transform.ts'
import { projectRoot } from '#test/helpers/command.ts'

/** See the description in the file. */
interface Corpus {
  readonly names: Readonly<Record<PartitionTransform, string>>
  readonly types: readonly {
    readonly source: ColumnType
    readonly values: readonly (string | number)[]
    readonly results: Readonly<Record<PartitionTransform, readonly (string | number)[]>>
    readonly shown?: Readonly<Record<PartitionTransform, readonly string[]>>
  }[]
}

const corpus = JSON.parse(
  readFileSync(new URL('../../fixtures/iceberg-transforms.json', import.meta.url), 'utf8'),
) as Corpus

const UTC: ColumnType = { kind: 'timestamp', unit: 'us', utc: true }
const UTC_MS: ColumnType = { kind: 'timestamp', unit: 'ms', utc: true }
const LOCAL: ColumnType = { kind: 'timestamp', unit: 'us', utc: false }
const TIME_TRANSFORMS: readonly PartitionTransform[] = ['hour', 'day', 'month', 'year']

function apply(source: ColumnType, transform: PartitionTransform, value: unknown): PartitionValue {
  return transformOf({ source, transform })(value)
}

/** Microseconds as text, to the microsecond, without a zone. */
function isoText(micros: string): string {
  const ms = BigInt(micros) / 1000n - (BigInt(micros) % 1000n < 0n ? 1n : 0n)
  const rest = String(BigInt(micros) - ms * 1000n).padStart(3, '0')
  return `${new Date(Number(ms)).toISOString().slice(0, -1)}${rest}`
}

/** What a row may hold of a value of the corpus. */
function rowValues(source: ColumnType, value: string | number): unknown[] {
  const text = String(value)
  switch (source.kind) {
    case 'int64':
      return Number.isSafeInteger(Number(value)) ? [BigInt(value), Number(value)] : [BigInt(value)]
    case 'binary':
      return [text, Buffer.from(text, 'base64'), new Uint8Array(Buffer.from(text, 'base64'))]
    case 'uuid':
      return [text, text.toUpperCase()]
    case 'decimal':
      return [text, `${text}${text.includes('.') ? '' : '.'}000`, text.replace(/^-?/, '$&00')]
    case 'timestamp': {
      const ms = Number(BigInt(value) / 1000n)
      return BigInt(value) % 1000n === 0n ? [isoText(text), new Date(ms), ms] : [isoText(text)]
    }
    default:
      return [value]
  }
}

/** 64-bit integers are digits in the corpus; ours are numbers where a number is exact. */
function resultOf(source: ColumnType, result: string | number): PartitionValue {
  if (source.kind !== 'int64' || typeof result === 'number') return result
  return Number.isSafeInteger(Number(result)) ? Number(result) : BigInt(result)
}

describe.each(corpus.types.map((type) => [JSON.stringify(type.source), type] as const))('%s', (_, type) => {
  const { source, values, results } = type

  test.each(Object.entries(results))('%s is what pyiceberg makes of it', (transform, expected) => {
    const partition = transformOf({ source, transform: transform as PartitionTransform })
    expect(expected).toHaveLength(values.length)
    for (const [i, value] of values.entries()) {
      const result = resultOf(source, expected[i] as string | number)
      for (const form of rowValues(source, value))
        expect({ value: form, result: partition(form) }).toEqual({ value: form, result })
    }
  })

  test('identity is itself, in one form', () => {
    const identity = transformOf({ source, transform: 'identity' })
    for (const value of values) {
      const forms = new Set(rowValues(source, value).map(identity))
      const text = source.kind === 'timestamp' ? isoText(String(value)) : resultOf(source, value)
      expect([...forms]).toEqual([text])
    }
  })
})

const SHOWN = corpus.types.flatMap((type) =>
  Object.entries(type.shown ?? {}).map(
    ([transform, texts]) => [transform as PartitionTransform, type.source.kind, type, texts] as const,
  ),
)

test.each(SHOWN)('%s of a %s is shown as pyiceberg shows it', (transform, _, { source, values }, texts) => {
  for (const [i, value] of values.entries()) {
    const [form] = rowValues(source, value)
    const spec = [{ column: 'c', source, transform, name: 'c', isTime: true }]
    expect(partitionPath([apply(source, transform, form)], spec)).toBe(`c=${texts[i]}`)
  }
})

test.each(Object.entries(corpus.names))('%s of a column is named as pyiceberg names it', (transform, name) => {
  const columns = [{ name: 'at', type: LOCAL, nullable: true }]
  expect(partitionSpecOf({ at: transform as 'day' }, columns)).toMatchObject([{ transform, name }])
})

describe('a time', () => {
  test.each<[string, number, readonly number[]]>([
    ['the first instant', 0, [0, 0, 0, 0]],
    ['the last millisecond of a day', Date.UTC(1970, 0, 1, 23, 59, 59, 999), [23, 0, 0, 0]],
    ['midnight', Date.UTC(1970, 0, 2), [24, 1, 0, 0]],
    ['a millisecond before 1970', -1, [-1, -1, -1, -1]],
    ['a day before 1970', Date.UTC(1969, 11, 31), [-24, -1, -1, -1]],
    ['a millisecond before that', Date.UTC(1969, 11, 31) - 1, [-25, -2, -1, -1]],
    ['the last of a leap month', Date.UTC(2024, 1, 29, 23), [474_791, 19_782, 649, 54]],
    ['the year 1 BC', Date.UTC(-1, 11, 31, 23) + 3_600_000, [-17_268_672, -719_528, -23_640, -1970]],
    ['a year of five digits', Date.UTC(10_183, 8, 21), [72_000_000, 3_000_000, 98_564, 8213]],
  ])('%s, as Date and as milliseconds', (_, ms, expected) => {
    for (const source of [UTC, UTC_MS, LOCAL]) {
      expect(TIME_TRANSFORMS.map((transform) => apply(source, transform, new Date(ms)))).toEqual(expected)
      expect(TIME_TRANSFORMS.map((transform) => apply(source, transform, ms))).toEqual(expected)
    }
  })

  test.each([8.64e15, -8.64e15])('at an end of the calendar, %d, has all but an hour, which is an int', (ms) => {
    expect(apply(UTC, 'day', new Date(ms))).toBe(Math.sign(ms) * 100_000_000)
    expect(apply(UTC, 'year', ms)).toBe(ms > 0 ? 273_790 : -273_791)
    expect(() => apply(UTC, 'hour', new Date(ms))).toThrow(UnstorableError)
    expect(apply(UTC, 'hour', Math.sign(ms) * (2 ** 31 - 1) * 3_600_000)).toBe(Math.sign(ms) * (2 ** 31 - 1))
  })

  test('with an offset lies where UTC has it', () => {
    expect(apply(UTC, 'hour', '1970-01-01T01:30:00+02:00')).toBe(-1)
    expect(apply(UTC, 'day', '2017-11-16T14:31:08-08:00')).toBe(apply(UTC, 'day', '2017-11-16T22:31:08Z'))
    expect(apply(UTC_MS, 'hour', '1969-12-31T23:59:59.999Z')).toBe(-1)
    expect(apply(UTC_MS, 'hour', '2013-01-01T05:59:59.999Z')).toBe(376_949)
  })

  test('without an offset lies where its clock has it', () => {
    expect(apply(LOCAL, 'hour', '1970-01-01T01:30:00')).toBe(1)
  })

  test.each(['America/New_York', 'Pacific/Kiritimati'])('lies where UTC has it also in %s', (TZ) => {
    const script = `
      import { transformOf } from '#shared/pipeline/partition-transform.ts'
      const of = (source, value) => ['hour', 'day', 'month', 'year', 'identity'].map((transform) =>
        transformOf({ source: { kind: 'timestamp', unit: 'us', ...source }, transform })(value))
      const here = new Date(2013, 0, 1).getTime() === Date.UTC(2013, 0, 1)
      console.log(JSON.stringify([here, of({ utc: true }, new Date(0)), of({ utc: false }, '1970-01-01T00:00:00')]))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: projectRoot,
      env: { ...process.env, NODE_OPTIONS: '', TZ },
      encoding: 'utf8',
    })
    const text = '1970-01-01T00:00:00.000000'
    expect(JSON.parse(stdout)).toEqual([false, [0, 0, 0, 0, `${text}+00:00`], [0, 0, 0, 0, text]])
  })

  test('of milliseconds has the bucket that it has in microseconds', () => {
    for (const text of ['2017-11-16T22:31:08.5Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'])
      expect(apply(UTC_MS, 'bucket[2147483647]', text)).toBe(apply(UTC, 'bucket[2147483647]', text))
  })

  test('has the bucket of the specification', () => {
    const bucket = -2047944441 & 0x7fffffff
    expect(apply(UTC, 'bucket[2147483647]', '2017-11-16T14:31:08-08:00')).toBe(bucket)
    expect(apply(LOCAL, 'bucket[2147483647]', '2017-11-16T22:31:08')).toBe(bucket)
    expect(apply(UTC, 'bucket[2147483647]', new Date('2017-11-16T22:31:08Z'))).toBe(bucket)
  })

  test('is shown with its offset when it has one', () => {
    expect(apply(UTC, 'identity', new Date(1))).toBe('1970-01-01T00:00:00.001000+00:00')
    expect(apply(UTC, 'identity', '2017-11-16T14:31:08.000001-08:00')).toBe('2017-11-16T22:31:08.000001+00:00')
    expect(apply(LOCAL, 'identity', '2017-11-16T22:31:08')).toBe('2017-11-16T22:31:08.000000')
    expect(apply(UTC, 'identity', new Date(8.64e15))).toBe('+275760-09-13T00:00:00.000000+00:00')
  })
})

test.each<[ColumnType, unknown, number]>([
  [{ kind: 'int32' }, 34, 2017239379],
  [{ kind: 'int64' }, 34n, 2017239379],
  [{ kind: 'decimal', precision: 9, scale: 2 }, '14.20', -500754589],
  [{ kind: 'date' }, '2017-11-16', -653330422],
  [{ kind: 'string' }, 'iceberg', 1210000089],
  [{ kind: 'uuid' }, 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
  [{ kind: 'binary' }, Uint8Array.of(0, 1, 2, 3), -188683207],
])('%j %s has the bucket of the specification', (source, value, hash) => {
  expect(apply(source, 'bucket[2147483647]', value)).toBe(hash & 0x7fffffff)
  expect(apply(source, 'bucket[16]', value)).toBe((hash & 0x7fffffff) % 16)
})

test('equal integers have one identity', () => {
  for (const kind of ['int32', 'int64'] as const) {
    expect(apply({ kind }, 'identity', -0)).toBe(0)
    expect(apply({ kind }, 'truncate[5]', -0)).toBe(0)
    expect(apply({ kind }, 'identity', 7n)).toBe(7)
  }
  expect(apply({ kind: 'int64' }, 'identity', 2n ** 53n)).toBe(2n ** 53n)
})

test('a uuid without dashes is the same uuid', () => {
  const uuid = 'f79c3e09-677c-4bbd-a479-3f349cb785e7'
  expect(apply({ kind: 'uuid' }, 'identity', uuid.replaceAll('-', ''))).toBe(uuid)
})

test('a text ends between two characters, not within one', () => {
  expect(apply({ kind: 'string' }, 'truncate[1]', '🛫b')).toBe('🛫')
  expect(apply({ kind: 'string' }, 'truncate[2]', 'a🛫')).toBe('a🛫')
  expect(apply({ kind: 'string' }, 'truncate[3]', '🛫🛫')).toBe('🛫🛫')
})

describe('what has no partition', () => {
  test.each<[string, ColumnType, PartitionTransform, unknown]>([
    ['day of an invalid Date', UTC, 'day', new Date(Number.NaN)],
    ['month of an invalid Date', UTC, 'month', new Date(Number.NaN)],
    ['bucket of an invalid Date', UTC, 'bucket[4]', new Date(Number.NaN)],
    ['identity of an invalid Date', UTC, 'identity', new Date(Number.NaN)],
    ['day of no number', UTC, 'day', Number.NaN],
    ['day of no end of time', UTC, 'day', Number.POSITIVE_INFINITY],
    ['day of half a millisecond', UTC, 'day', 0.5],
    ['day of a time beyond the calendar', UTC, 'day', 8.64e15 + 1],
    ['day of a text that is no time', UTC, 'day', 'Thursday'],
    ['day of a date that there is not', UTC, 'day', '2013-02-30T00:00:00Z'],
    ['day of a time without the offset that it must have', UTC, 'day', '2013-02-03T00:00:00'],
    ['day of a date that there is not, in a date column', { kind: 'date' }, 'day', '2013-02-30'],
    ['identity of a date that there is not', { kind: 'date' }, 'identity', '2013-02-30'],
    ['bucket of a date that there is not', { kind: 'date' }, 'bucket[4]', '2013-1-1'],
    ['identity of a fraction', { kind: 'int64' }, 'identity', 0.5],
    ['identity of a number that may be another', { kind: 'int64' }, 'identity', 2 ** 53],
    ['bucket of more than 64 bits', { kind: 'int64' }, 'bucket[4]', 2n ** 63n],
    ['truncate of an int without a multiple below', { kind: 'int32' }, 'truncate[10]', -(2 ** 31)],
    ['truncate of a long without a multiple below', { kind: 'int64' }, 'truncate[10]', -(2n ** 63n)],
    [
      'truncate of a decimal without a multiple below',
      { kind: 'decimal', precision: 3, scale: 1 },
      'truncate[10]',
      '-99.9',
    ],
    ['identity of no decimal', { kind: 'decimal', precision: 3, scale: 1 }, 'identity', '1e1'],
    ['bucket of a decimal with too many digits', { kind: 'decimal', precision: 3, scale: 1 }, 'bucket[4]', '100.0'],
    ['bucket of no uuid', { kind: 'uuid' }, 'bucket[4]', 'f79c3e09'],
    ['truncate of no base64', { kind: 'binary' }, 'truncate[4]', '!'],
  ])('%s', (_, source, transform, value) => {
    expect(() => apply(source, transform, value)).toThrow(UnstorableError)
  })

  test('but the next value has', () => {
    expect(apply({ kind: 'int32' }, 'truncate[10]', -(2 ** 31) + 8)).toBe(-(2 ** 31) + 8)
    expect(apply({ kind: 'int64' }, 'truncate[10]', -(2n ** 63n) + 8n)).toBe(-(2n ** 63n) + 8n)
    expect(apply({ kind: 'decimal', precision: 3, scale: 1 }, 'truncate[10]', '-99.0')).toBe('-99.0')
  })
})
