import { AUDIT_COLUMNS, type Column } from '#shared/pipeline/columns.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import {
  escapePath,
  type PartitionSpec,
  type PartitionTransform,
  type PartitionValue,
  partitionKey,
  partitionOf,
  partitionPath,
  partitionSpecOf,
  partitionValues,
} from '#shared/pipeline/partition.ts'

const COLUMNS: readonly Column[] = [
  { name: 'carrier', type: { kind: 'string' }, nullable: true },
  { name: 'cancelled', type: { kind: 'boolean' }, nullable: false },
  { name: 'flight', type: { kind: 'int32' }, nullable: false },
  { name: 'tail', type: { kind: 'int64' }, nullable: false },
  { name: 'delay', type: { kind: 'double' }, nullable: true },
  { name: 'ratio', type: { kind: 'float' }, nullable: true },
  { name: 'at', type: { kind: 'timestamp' }, nullable: true },
  { name: 'raw', type: { kind: 'binary' }, nullable: true },
  {
    name: 'tags',
    type: { kind: 'list', element: { name: 'element', type: { kind: 'string' }, nullable: false } },
    nullable: true,
  },
  ...AUDIT_COLUMNS,
]

const specOf = (partitionBy: Record<string, PartitionTransform>): PartitionSpec => partitionSpecOf(partitionBy, COLUMNS)
const BY_DAY = specOf({ at: 'day' })
const BY_CARRIER = specOf({ carrier: 'identity' })

describe('a partition spec', () => {
  test('keeps the order of the declaration, and names its fields as Iceberg does', () => {
    expect(specOf({ carrier: 'identity', at: 'day' })).toEqual([
      { column: 'carrier', transform: 'identity', name: 'carrier' },
      { column: 'at', transform: 'day', name: 'at_day' },
    ])
  })

  test('may be of columns that Inlet adds', () => {
    expect(specOf({ _timestamp: 'day' })).toEqual([{ column: '_timestamp', transform: 'day', name: '_timestamp_day' }])
  })

  test.each(['carrier', 'cancelled', 'flight', 'tail'])('takes the identity of %s', (column) => {
    expect(specOf({ [column]: 'identity' })).toHaveLength(1)
  })

  test.each<[string, Record<string, string>, string]>([
    ['an unknown column', { nope: 'day' }, 'lake.partitionBy.nope: the row contract has no such field'],
    ['an unknown transform', { at: 'fortnight' }, 'lake.partitionBy.at: unknown transform "fortnight"'],
    ['a name that objects inherit', { at: 'constructor' }, 'lake.partitionBy.at: unknown transform "constructor"'],
    ['day of a string', { carrier: 'day' }, 'lake.partitionBy.carrier: "day" takes timestamp, not string'],
    ['identity of a time', { at: 'identity' }, 'lake.partitionBy.at: "identity" takes'],
    ['identity of a double', { delay: 'identity' }, 'lake.partitionBy.delay: "identity" takes'],
    ['identity of a float', { ratio: 'identity' }, 'lake.partitionBy.ratio: "identity" takes'],
    ['identity of bytes', { raw: 'identity' }, 'lake.partitionBy.raw: "identity" takes'],
    ['identity of a list', { tags: 'identity' }, 'lake.partitionBy.tags: "identity" takes'],
    ['one wrong after one right', { at: 'day', delay: 'identity' }, 'lake.partitionBy.delay'],
  ])('refuses %s', (_, partitionBy, message) => {
    const define = (): PartitionSpec => specOf(partitionBy as Record<string, PartitionTransform>)
    expect(define).toThrow(PipelineDefinitionError)
    expect(define).toThrow(message)
  })
})

describe('the partition of a row', () => {
  test.each<[string, unknown, number | null]>([
    ['the first instant', new Date(0), 0],
    ['the last millisecond of a day', new Date('1970-01-01T23:59:59.999Z'), 0],
    ['midnight', new Date('1970-01-02T00:00:00Z'), 1],
    ['a millisecond before 1970', new Date(-1), -1],
    ['a day before 1970', new Date('1969-12-31T00:00:00Z'), -1],
    ['a millisecond before that', new Date('1969-12-30T23:59:59.999Z'), -2],
    ['the last day of a Date', new Date(8.64e15), 100_000_000],
    ['the first day of a Date', new Date(-8.64e15), -100_000_000],
    ['milliseconds', Date.UTC(2013, 0, 1, 23), 15_706],
    ['null', null, null],
    ['nothing', undefined, null],
  ])('day of %s', (_, at, day) => {
    expect(partitionOf({ at }, BY_DAY)).toEqual({ ok: true, value: [day] })
  })

  test('an invalid Date has none, and the column is named', () => {
    expect(partitionOf({ at: new Date(Number.NaN) }, BY_DAY)).toMatchObject({
      ok: false,
      rejection: { code: 'PARTITION_INVALID', field: 'at' },
    })
  })

  test('has a value for each field, in the order of the spec', () => {
    const row = { at: new Date(0), carrier: 'UA', flight: 7, cancelled: false, tail: 9n }
    const spec = specOf({ cancelled: 'identity', at: 'day', tail: 'identity', carrier: 'identity', flight: 'identity' })
    expect(partitionOf(row, spec)).toEqual({ ok: true, value: [false, 0, 9n, 'UA', 7] })
  })

  test('is the same for all rows of an unpartitioned table', () => {
    expect(partitionOf({ at: new Date(0) }, [])).toEqual({ ok: true, value: [] })
    expect(partitionPath([], [])).toBe('')
  })
})

describe('the key of a partition', () => {
  test('differs for values that look alike', () => {
    const alike: PartitionValue[][] = [
      [null],
      [''],
      ['null'],
      ['"null"'],
      [0],
      ['0'],
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
      ['a\u0000b', ''],
      ['', 'a\u0000b'],
      ['a","b', ''],
      ['a"\u0000"b', ''],
    ]
    expect(new Set(moved.map(partitionKey)).size).toBe(moved.length)
  })
})

describe('the path of a partition', () => {
  test('is one directory for each field', () => {
    expect(partitionPath([15_706, 'EWR'], specOf({ at: 'day', carrier: 'identity' }))).toBe(
      'at_day=2013-01-01/carrier=EWR',
    )
  })

  test.each<[string, number, string]>([
    ['0', 0, '1970-01-01'],
    ['−1', -1, '1969-12-31'],
    ['a leap day', 19_782, '2024-02-29'],
    ['a year of five digits', 3_000_000, '+010183-09-21'],
    ['a year before 0', -1_000_000, '-000768-02-04'],
    ['the last that a Date can show', 100_000_000, '+275760-09-13'],
    ['one that no Date can show', 100_000_001, '100000001'],
    ['one that no Date can show, before 1970', -100_000_001, '-100000001'],
  ])('day %s', (_, day, shown) => {
    expect(partitionPath([day], BY_DAY)).toBe(`at_day=${shown}`)
  })

  test.each<[string, PartitionValue, string]>([
    ['null', null, '__HIVE_DEFAULT_PARTITION__'],
    ['the empty text, which Hive cannot tell from null', '', '__HIVE_DEFAULT_PARTITION__'],
    ['a slash', 'a/b', 'a%2Fb'],
    ['the way up', '../../log', '..%2F..%2Flog'],
    ['a value that looks escaped', '100%2F', '100%252F'],
    ['an equals sign', 'a=b', 'a%3Db'],
    ['control characters', '\u0000\n\u007f', '%00%0A%7F'],
    ['what Hive escapes', '"#%\'*/:=?\\{[]^', '%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E'],
    ['what Hive leaves alone', 'a b,c+d~!@&()ü日🛫', 'a b,c+d~!@&()ü日🛫'],
    ['a bigint', 9_007_199_254_740_993n, '9007199254740993'],
    ['a negative number', -7, '-7'],
    ['a boolean', false, 'false'],
  ])('identity of %s', (_, value, shown) => {
    expect(partitionPath([value], BY_CARRIER)).toBe(`carrier=${shown}`)
  })

  test('escapes the name of the column too', () => {
    expect(partitionPath(['x'], [{ column: 'a/b', transform: 'identity', name: 'a/b' }])).toBe('a%2Fb=x')
  })
})

test('a commit names a partition by its fields, and a bigint by its digits', () => {
  const spec = specOf({ at: 'day', tail: 'identity', carrier: 'identity', cancelled: 'identity' })
  const values = partitionValues([15_706, 9_007_199_254_740_993n, null, true], spec)
  expect(values).toEqual({ at_day: 15_706, tail: '9007199254740993', carrier: null, cancelled: true })
  expect(JSON.parse(JSON.stringify(values))).toEqual(values)
})

test('an escaped path names what it was made of', () => {
  expect(decodeURIComponent(escapePath('50% of a/b'))).toBe('50% of a/b')
})
