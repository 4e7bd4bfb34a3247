import fc from 'fast-check'
import { dataPrefix } from '#shared/lake/log-keys.ts'
import { keyFault } from '#shared/lake/object-store.ts'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { type PartitionValue, partitionKey, partitionOf } from '#shared/pipeline/partition.ts'
import type { DeclaredTransform } from '#shared/pipeline/partition-by.ts'
import { escapePath, partitionPath } from '#shared/pipeline/partition-path.ts'
import { type PartitionSpec, partitionSpecOf } from '#shared/pipeline/partition-spec.ts'

/** Text made of what could break a path or a key, beside any other; now and then too long for a directory's name. */
const hostile = fc.oneof(
  fc.string({
    unit: fc.constantFrom('/', '\\', '.', '%', '2', 'F', '=', '\0', '\u0001', '"', ',', ':', 'n', 'null', '__', ' '),
  }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'binary', minLength: 50, maxLength: 1500, size: 'max' }),
  fc.constantFrom('', '.', '..', '../..', '/', '//', 'null', '__HIVE_DEFAULT_PARTITION__', '%2F', 'a/../..', '\u0000'),
)

interface Sample {
  readonly type: ColumnType
  readonly transform: DeclaredTransform
  readonly value: unknown
}

const time: ColumnType = { kind: 'timestamp', unit: 'us', utc: true }
const date = fc.date({ noInvalidDate: true, min: new Date(-7e15), max: new Date(7e15) })
const int64 = fc.bigInt({ min: -(2n ** 63n) + 1000n, max: 2n ** 63n - 1n })
const size = fc.integer({ min: 1, max: 1000 })
const bucket = size.map((n): DeclaredTransform => ({ bucket: n }))
const truncate = size.map((n): DeclaredTransform => ({ truncate: n }))
const identity = fc.constant<DeclaredTransform>('identity')

function samples(type: ColumnType, value: fc.Arbitrary<unknown>, transform: fc.Arbitrary<DeclaredTransform>) {
  return fc.record<Sample>({ type: fc.constant(type), transform, value: fc.option(value) })
}

/** A column of a type, a transform that takes it, and a value. */
const sample = fc.oneof(
  samples({ kind: 'string' }, hostile, fc.oneof(identity, bucket, truncate)),
  samples(time, date, fc.oneof(identity, bucket, fc.constantFrom('hour', 'day', 'month', 'year'))),
  samples({ kind: 'int64' }, fc.oneof(int64, fc.maxSafeInteger()), fc.oneof(identity, bucket, truncate)),
  samples({ kind: 'binary' }, fc.uint8Array({ maxLength: 600 }), fc.oneof(identity, bucket, truncate)),
  samples({ kind: 'boolean' }, fc.boolean(), identity),
)

/** A spec with hostile names, as far as a directory has room for them, and the values that it makes of a row. */
const partition = fc.array(fc.tuple(hostile, sample), { minLength: 1, maxLength: 6 }).map((fields) => {
  const columns = fields.map(([name, { type }], i): Column => {
    return { name: `${Array.from(name).slice(0, 10).join('')}_${i}`, type, nullable: true }
  })
  const transforms = Object.fromEntries(fields.map(([, { transform }], i) => [columns[i]?.name, transform]))
  const row = Object.fromEntries(fields.map(([, { value }], i) => [columns[i]?.name, value]))
  const spec = partitionSpecOf(transforms, columns)
  const placed = partitionOf(row, spec)
  if (!placed.ok) throw new Error(placed.rejection.message)
  return { spec, values: placed.value }
})

const unescaped = (text: string): string =>
  text.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

test('no value leaves the prefix of its table, nor its directory, which no file system and no key is too short for', () => {
  fc.assert(
    fc.property(partition, ({ spec, values }) => {
      const path = partitionPath(values, spec)
      const key = `${dataPrefix('flights')}${path}/file.parquet`
      expect(keyFault(key)).toBeUndefined()
      expect(new URL(key.replaceAll('%', '%25'), 's3://lake/').pathname.startsWith('/tables/flights/data/')).toBe(true)
      expect(Buffer.byteLength(path)).toBeLessThanOrEqual(576)
      const directories = path.split('/')
      expect(directories).toHaveLength(spec.length)
      for (const [i, directory] of directories.entries()) {
        expect(Buffer.byteLength(directory)).toBeLessThan(255)
        const [name, ...rest] = directory.split('=')
        expect(rest).toHaveLength(1)
        expect(unescaped(name ?? '')).toBe(spec[i]?.name)
        expect(rest[0]).not.toBe('')
        expect(directory.isWellFormed()).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

describe('a path of identity', () => {
  const spec = partitionSpecOf({ c: 'identity' }, [{ name: 'c', type: { kind: 'string' }, nullable: true }])
  const shown = (value: string): string => partitionPath([value], spec).slice('c='.length)
  const fits = (value: string): boolean => Buffer.byteLength(`c=${escapePath(value)}`) < 255

  test('tells values apart, null and the empty text aside', () => {
    const short = hostile.filter((value) => value !== '' && fits(value))
    fc.assert(
      fc.property(short, (value) => {
        expect(unescaped(shown(value))).toBe(value)
      }),
      { numRuns: 500 },
    )
  })

  test('shows as much as there is room for of a value that is too long', () => {
    const long = fc.string({ unit: 'binary', minLength: 253, maxLength: 1500, size: 'max' })
    fc.assert(
      fc.property(long, (value) => {
        const beginning = unescaped(shown(value).replace(/~[0-9a-f]{16}$/, ''))
        expect(value.startsWith(beginning)).toBe(true)
        const next = String.fromCodePoint(value.codePointAt(beginning.length) as number)
        expect(fits(`${beginning}${next}~0123456789abcdef`)).toBe(false)
      }),
    )
  })
})

test('distinct partitions have distinct keys, and equal ones the same', () => {
  const value = fc.oneof(
    hostile,
    fc.constant(null),
    fc.integer(),
    fc.constantFrom<PartitionValue>('a', 'b', 'a\u0000b', '"a"', 'a"', '1"a', '1,', 1, 11, true, 'true'),
  )
  const values = fc.integer({ min: 1, max: 3 }).chain((count) => {
    const some = fc.array<PartitionValue>(value, { minLength: count, maxLength: count })
    return fc.tuple(some, fc.oneof(some, fc.constant(null)))
  })
  fc.assert(
    fc.property(values, ([left, other]) => {
      const right = other ?? [...left]
      const equal = left.every((part, i) => part === right[i])
      expect(partitionKey(left) === partitionKey(right)).toBe(equal)
    }),
    { numRuns: 1000 },
  )
})

/** What a reader needs of a transform to skip files: equal values lie together, and order is kept where there is one. */
describe('a transform', () => {
  const only = (type: ColumnType, transform: DeclaredTransform): PartitionSpec =>
    partitionSpecOf({ c: transform }, [{ name: 'c', type, nullable: true }])

  function valueOf(value: unknown, spec: PartitionSpec): PartitionValue {
    const placed = partitionOf({ c: value }, spec)
    if (!placed.ok) throw new Error(placed.rejection.message)
    return placed.value[0] as PartitionValue
  }

  test('of time keeps its order, and each unit divides the next', () => {
    fc.assert(
      fc.property(date, date, (one, other) => {
        for (const transform of ['hour', 'day', 'month', 'year'] as const) {
          const spec = only(time, transform)
          expect(Number(valueOf(one, spec)) <= Number(valueOf(other, spec)) || one > other).toBe(true)
        }
        const [hour, day, month, year] = (['hour', 'day', 'month', 'year'] as const).map((transform) =>
          Number(valueOf(one, only(time, transform))),
        )
        expect(Math.floor((hour as number) / 24)).toBe(day)
        expect(Math.floor((month as number) / 12)).toBe(year)
        expect(new Date((day as number) * 86_400_000).getUTCFullYear()).toBe(1970 + (year as number))
        expect(new Date((hour as number) * 3_600_000).getUTCHours()).toBe(one.getUTCHours())
      }),
    )
  })

  test('that truncates integers gives the multiple at or below', () => {
    fc.assert(
      fc.property(fc.oneof(int64, fc.maxSafeInteger().map(BigInt)), size, (value, width) => {
        const result = BigInt(valueOf(value, only({ kind: 'int64' }, { truncate: width })) as number)
        expect(result % BigInt(width)).toBe(0n)
        expect(result <= value && value - result < BigInt(width)).toBe(true)
      }),
    )
  })

  test('that truncates text gives its first characters', () => {
    fc.assert(
      fc.property(hostile, size, (value, width) => {
        const spec = only({ kind: 'string' }, { truncate: width })
        expect(valueOf(value, spec)).toBe(Array.from(value).slice(0, width).join(''))
      }),
    )
  })

  test('into buckets stays within them', () => {
    fc.assert(
      fc.property(hostile, size, (value, buckets) => {
        const number = Number(valueOf(value, only({ kind: 'string' }, { bucket: buckets })))
        expect(Number.isInteger(number) && number >= 0 && number < buckets).toBe(true)
      }),
    )
  })
})
