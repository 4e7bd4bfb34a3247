import { AUDIT_COLUMNS, type Column, type ColumnType } from '#shared/pipeline/columns.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import type { DeclaredPartitions, DeclaredTransform } from '#shared/pipeline/partition-by.ts'
import { type PartitionField, type PartitionSpec, partitionSpecOf } from '#shared/pipeline/partition-spec.ts'
import { transformOf } from '#shared/pipeline/partition-transform.ts'

const element: Column = { name: 'element', type: { kind: 'string' }, nullable: false }

/** A column of each type, and a value of it. */
const TYPES: Readonly<Record<string, readonly [ColumnType, unknown]>> = {
  carrier: [{ kind: 'string' }, 'UA'],
  cancelled: [{ kind: 'boolean' }, true],
  flight: [{ kind: 'int32' }, 7],
  tail: [{ kind: 'int64' }, 7n],
  delay: [{ kind: 'double' }, 0.5],
  ratio: [{ kind: 'float' }, 0.5],
  fare: [{ kind: 'decimal', precision: 9, scale: 2 }, '12.50'],
  at: [{ kind: 'timestamp', unit: 'us', utc: true }, new Date(0)],
  onDate: [{ kind: 'date' }, '2013-01-31'],
  id: [{ kind: 'uuid' }, 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
  raw: [{ kind: 'binary' }, new Uint8Array(3)],
  tags: [{ kind: 'list', element }, []],
  counts: [{ kind: 'map', value: element }, {}],
  place: [{ kind: 'struct', fields: [element] }, {}],
}
const COLUMNS: readonly Column[] = [
  ...Object.entries(TYPES).map(([name, [type]]) => ({ name, type, nullable: true })),
  ...AUDIT_COLUMNS,
]

const specOf = (partitionBy: DeclaredPartitions): PartitionSpec => partitionSpecOf(partitionBy, COLUMNS)

test('fields keep the order of the declaration', () => {
  expect(specOf({ carrier: 'identity', at: 'day' })).toEqual<PartitionSpec>([
    { column: 'carrier', source: { kind: 'string' }, transform: 'identity', name: 'carrier', isTime: false },
    { column: 'at', source: TYPES['at']?.[0] as ColumnType, transform: 'day', name: 'at_day', isTime: true },
  ])
})

test.each<[DeclaredTransform, string, string]>([
  ['identity', 'identity', 'at'],
  ['hour', 'hour', 'at_hour'],
  ['day', 'day', 'at_day'],
  ['month', 'month', 'at_month'],
  ['year', 'year', 'at_year'],
  [{ bucket: 16 }, 'bucket[16]', 'at_bucket'],
])('%j is written and named as Iceberg does', (declared, transform, name) => {
  expect(specOf({ at: declared })).toMatchObject([{ transform, name }])
})

test('truncate is named as Iceberg does', () => {
  expect(specOf({ carrier: { truncate: 4 } })).toMatchObject([{ transform: 'truncate[4]', name: 'carrier_trunc' }])
})

test('a field may have several transforms', () => {
  const fields = specOf({ carrier: [{ truncate: 1 }, { bucket: 4 }, 'identity'], at: ['day'] })
  expect(fields.map(({ name }) => name)).toEqual(['carrier_trunc', 'carrier_bucket', 'carrier', 'at_day'])
  expect(specOf({ at: [{ bucket: 4 }, 'month', 'identity'] })).toHaveLength(3)
})

test('columns that Inlet adds are columns like others', () => {
  expect(specOf({ _timestamp: 'day' })).toMatchObject([{ column: '_timestamp', name: '_timestamp_day', isTime: true }])
})

test('no fields are no partitions', () => {
  expect(specOf({})).toEqual([])
})

test('a field tells the time when it keeps the order of a time or a date', () => {
  const isTime = (partitionBy: DeclaredPartitions): boolean => (specOf(partitionBy)[0] as PartitionField).isTime
  for (const transform of ['identity', 'hour', 'day', 'month', 'year'] as const)
    expect(isTime({ at: transform })).toBe(true)
  for (const transform of ['identity', 'day', 'month', 'year'] as const)
    expect(isTime({ onDate: transform })).toBe(true)
  expect(isTime({ at: { bucket: 4 } })).toBe(false)
  expect(isTime({ carrier: 'identity' })).toBe(false)
  expect(isTime({ flight: { truncate: 10 } })).toBe(false)
})

/** Which columns each transform takes (Iceberg's specification, "Partition Transforms"; of identity all but floating point). */
describe.each<[DeclaredTransform, string]>([
  ['identity', 'carrier cancelled flight tail fare at onDate id raw'],
  ['hour', 'at'],
  ['day', 'at onDate'],
  ['month', 'at onDate'],
  ['year', 'at onDate'],
  [{ bucket: 4 }, 'carrier flight tail fare at onDate id raw'],
  [{ truncate: 4 }, 'carrier flight tail fare raw'],
])('%j', (declared, takes) => {
  test.each(Object.keys(TYPES).filter((name) => takes.split(' ').includes(name)))('takes %s', (name) => {
    const [field] = specOf({ [name]: declared })
    expect(transformOf(field as PartitionField)(TYPES[name]?.[1])).toBeDefined()
  })

  test.each(Object.keys(TYPES).filter((name) => !takes.split(' ').includes(name)))('does not take %s', (name) => {
    const define = (): PartitionSpec => specOf({ [name]: declared })
    const transform = typeof declared === 'string' ? declared : Object.keys(declared)[0]
    expect(define).toThrow(PipelineDefinitionError)
    expect(define).toThrow(`lake.partitionBy.${name}: "${transform}" takes `)
  })
})

test.each<[string, unknown, string]>([
  ['no fields at all', 'at', 'lake.partitionBy: expected fields'],
  ['null', null, 'lake.partitionBy: expected fields'],
  ['a list of fields', ['at'], 'lake.partitionBy: expected fields'],
  ['an unknown column', { nope: 'day' }, 'lake.partitionBy.nope: the row contract has no such field'],
  ['an unknown transform', { at: 'fortnight' }, 'lake.partitionBy.at: unknown transform "fortnight"'],
  ['a name that objects inherit', { at: 'constructor' }, 'lake.partitionBy.at: unknown transform "constructor"'],
  ['a transform as Iceberg writes it', { flight: 'bucket[4]' }, 'lake.partitionBy.flight: unknown transform'],
  ['a bucket without a number', { flight: 'bucket' }, 'lake.partitionBy.flight: unknown transform "bucket"'],
  ['null for a transform', { at: null }, 'lake.partitionBy.at: unknown transform null'],
  ['nothing for a transform', { at: undefined }, 'lake.partitionBy.at: unknown transform undefined'],
  ['no transform', { at: [] }, 'lake.partitionBy.at: expected a transform'],
  ['an empty transform', { flight: {} }, 'lake.partitionBy.flight: unknown transform {}'],
  ['two in one', { flight: { bucket: 4, truncate: 4 } }, 'lake.partitionBy.flight: unknown transform {"bucket":4,'],
  ['an unknown one', { flight: { modulo: 4 } }, 'lake.partitionBy.flight: unknown transform {"modulo":4}'],
  ['no buckets', { flight: { bucket: 0 } }, 'lake.partitionBy.flight: bucket: expected a whole number'],
  ['buckets below none', { flight: { bucket: -4 } }, 'lake.partitionBy.flight: bucket: expected a whole number'],
  ['half a bucket', { flight: { bucket: 1.5 } }, 'lake.partitionBy.flight: bucket: expected a whole number'],
  ['buckets in words', { flight: { bucket: '4' } }, 'lake.partitionBy.flight: bucket: expected a whole number'],
  ['more buckets than an int', { flight: { bucket: 2 ** 31 } }, 'lake.partitionBy.flight: bucket: expected a whole'],
  ['no width', { carrier: { truncate: 0 } }, 'lake.partitionBy.carrier: truncate: expected a whole number'],
  ['one wrong after one right', { at: 'day', delay: 'identity' }, 'lake.partitionBy.delay: "identity" takes'],
  ['one wrong beside one right', { at: ['day', 'fortnight'] }, 'lake.partitionBy.at: unknown transform "fortnight"'],
  ['the same twice', { at: ['day', 'day'] }, '"day" and "day" of at are both named "at_day"'],
  ['two of one name', { flight: [{ bucket: 4 }, { bucket: 8 }] }, 'are both named "flight_bucket"'],
  ['two divisions of one time', { at: ['day', 'hour'] }, '"hour" and "day" divide the same time'],
])('%s: refused', (_, partitionBy, message) => {
  const define = (): PartitionSpec => specOf(partitionBy as DeclaredPartitions)
  expect(define).toThrow(PipelineDefinitionError)
  expect(define).toThrow(message)
})

test('a text that may be a date or a time is told how', () => {
  expect(() => specOf({ carrier: 'day' })).toThrow('not string; text becomes one by .meta({ column: "date" })')
  expect(() => specOf({ flight: 'day' })).toThrow(/not int32$/)
})

describe('a name is taken once, in whatever case', () => {
  const columns: readonly Column[] = [
    { name: 'at', type: { kind: 'timestamp', unit: 'us', utc: true }, nullable: false },
    { name: 'At_Day', type: { kind: 'string' }, nullable: false },
  ]

  test('by a column', () => {
    expect(() => partitionSpecOf({ at: 'day' }, columns)).toThrow(
      '"day" is named "at_day", and so is the column At_Day',
    )
  })

  test('by another field', () => {
    expect(() => partitionSpecOf({ At_Day: 'identity', at: 'day' }, columns)).toThrow('are both named "at_day"')
  })
})

test('a name leaves room for the value in its directory', () => {
  const named = (length: number): readonly Column[] => [
    { name: 'n'.repeat(length), type: { kind: 'int32' }, nullable: false },
  ]
  expect(partitionSpecOf({ ['n'.repeat(213)]: 'identity' }, named(213))).toHaveLength(1)
  expect(() => partitionSpecOf({ ['n'.repeat(214)]: 'identity' }, named(214))).toThrow(
    /nn" is too long for a directory/,
  )
  expect(() =>
    partitionSpecOf({ ['/'.repeat(100)]: 'identity' }, [{ ...named(1)[0], name: '/'.repeat(100) } as Column]),
  ).toThrow(/too long/)
})
