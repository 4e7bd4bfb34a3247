import type { Column } from '#shared/pipeline/columns.ts'
import { type PartitionValue, partitionKey, partitionOf, partitionValues } from '#shared/pipeline/partition.ts'
import type { DeclaredPartitions } from '#shared/pipeline/partition-by.ts'
import { type PartitionSpec, partitionSpecOf } from '#shared/pipeline/partition-spec.ts'

const COLUMNS: readonly Column[] = [
  { name: 'carrier', type: { kind: 'string' }, nullable: true },
  { name: 'cancelled', type: { kind: 'boolean' }, nullable: false },
  { name: 'flight', type: { kind: 'int32' }, nullable: false },
  { name: 'tail', type: { kind: 'int64' }, nullable: false },
  { name: 'fare', type: { kind: 'decimal', precision: 9, scale: 2 }, nullable: true },
  { name: 'at', type: { kind: 'timestamp', unit: 'us', utc: true }, nullable: true },
  { name: 'onDate', type: { kind: 'date' }, nullable: true },
]

const specOf = (partitionBy: DeclaredPartitions): PartitionSpec => partitionSpecOf(partitionBy, COLUMNS)

describe('the partition of a row', () => {
  test('has a value for each field, in the order of the spec', () => {
    const row = { at: new Date('2013-01-01T05:59:00Z'), carrier: 'UA', flight: 1234, cancelled: false, tail: 9n }
    const spec = specOf({
      cancelled: 'identity',
      at: ['hour', { bucket: 16 }],
      tail: 'identity',
      carrier: { truncate: 1 },
      flight: { truncate: 100 },
    })
    expect(partitionOf(row, spec)).toEqual({ ok: true, value: [false, 376_949, 10, 9, 'U', 1200] })
  })

  test('is null where the column is null or missing, whatever the transform', () => {
    const spec = specOf({
      carrier: ['identity', { truncate: 4 }, { bucket: 4 }],
      at: ['identity', 'day', { bucket: 4 }],
      onDate: 'month',
    })
    const none = { ok: true, value: spec.map(() => null) }
    expect(partitionOf({ carrier: null, at: null, onDate: null }, spec)).toEqual(none)
    expect(partitionOf({ at: undefined }, spec)).toEqual(none)
  })

  test('is the same for all rows of an unpartitioned table', () => {
    expect(partitionOf({ at: new Date(0) }, [])).toEqual({ ok: true, value: [] })
  })

  test.each<[string, Record<string, unknown>, string, string]>([
    ['an invalid Date', { at: new Date(Number.NaN) }, 'at', 'expected a time, found an invalid date'],
    ['a date that there is not', { onDate: '2013-02-29' }, 'onDate', 'expected a date of the calendar'],
    ['a decimal that is none', { fare: 'twelve' }, 'fare', 'expected a decimal number'],
    ['the second of two', { at: new Date(0), onDate: 'x' }, 'onDate', 'expected a date of the calendar'],
  ])('%s has none, and the column is named', (_, row, field, message) => {
    const outcome = partitionOf(row, specOf({ at: 'day', onDate: 'year', fare: 'identity' }))
    expect(outcome).toMatchObject({ ok: false, rejection: { code: 'PARTITION_INVALID', field } })
    expect(!outcome.ok && outcome.rejection.message).toContain(message)
  })

  test('what a row throws by itself is not a rejection', () => {
    const row = {
      get at(): never {
        throw new TypeError('a getter')
      },
    }
    expect(() => partitionOf(row, specOf({ at: 'day' }))).toThrow(TypeError)
  })
})

describe('the key of a partition', () => {
  test('differs for values that look alike', () => {
    const alike: PartitionValue[][] = [
      [null],
      [''],
      ['null'],
      ['null,'],
      ['"null"'],
      [0],
      ['0'],
      ['0,'],
      [false],
      ['false'],
      ['a'],
      ['a '],
      ['A'],
    ]
    expect(new Set(alike.map(partitionKey)).size).toBe(alike.length)
  })

  test('differs when the border between two fields moves', () => {
    const moved: PartitionValue[][] = [
      ['a', 'b'],
      ['ab', ''],
      ['', 'ab'],
      ['a1"b', ''],
      ['a', 'b"'],
      ['a"b', ''],
      ['2,'],
      [22],
      ['3"a'],
      ['a"1"b', ''],
      [1, 23],
      [12, 3],
      [1, '23'],
      ['1,', 23],
    ]
    expect(new Set(moved.map(partitionKey)).size).toBe(moved.length)
  })

  test('is the same for equal values that rows write differently', () => {
    const spec = specOf({ tail: 'identity', fare: 'identity', at: 'identity' })
    const keyOf = (row: Record<string, unknown>): string => {
      const partition = partitionOf(row, spec)
      if (!partition.ok) throw new Error(partition.rejection.message)
      return partitionKey(partition.value)
    }
    expect(keyOf({ tail: 7, fare: '1.5', at: new Date(0) })).toBe(
      keyOf({ tail: 7n, fare: '01.50', at: '1970-01-01T02:00:00+02:00' }),
    )
  })
})

test('a commit names a partition by its fields, and an integer beyond numbers by its digits', () => {
  const spec = specOf({ at: 'day', tail: 'identity', carrier: 'identity', cancelled: 'identity' })
  const values = partitionValues([15_706, 9_007_199_254_740_993n, null, true], spec)
  expect(values).toEqual({ at_day: 15_706, tail: '9007199254740993', carrier: null, cancelled: true })
  expect(JSON.parse(JSON.stringify(values))).toEqual(values)
})
