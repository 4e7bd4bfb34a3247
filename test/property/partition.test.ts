import fc from 'fast-check'
import { dataPrefix } from '#shared/lake/log-keys.ts'
import { keyFault } from '#shared/lake/object-store.ts'
import {
  type PartitionSpec,
  type PartitionTransform,
  type PartitionValue,
  partitionKey,
  partitionOf,
  partitionPath,
} from '#shared/pipeline/partition.ts'

/** Text made of what could break a path or a key, beside any other. */
const hostile = fc.oneof(
  fc.string({
    unit: fc.constantFrom('/', '\\', '.', '%', '2', 'F', '=', '\0', '\u0001', '"', ',', ':', 'n', 'null', '__', ' '),
  }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '.', '..', '../..', '/', '//', 'null', '__HIVE_DEFAULT_PARTITION__', '%2F', 'a/../..', '\u0000'),
)

/** A field of each transform and a value of its column. */
const field: fc.Arbitrary<[PartitionTransform, string, unknown]> = fc.oneof(
  fc.tuple(fc.constant<PartitionTransform>('identity'), hostile, fc.oneof(hostile, fc.constant(null))),
  fc.tuple(fc.constant<PartitionTransform>('identity'), hostile, fc.oneof(fc.integer(), fc.bigInt(), fc.boolean())),
  fc.tuple(
    fc.constant<PartitionTransform>('day'),
    hostile,
    fc.oneof(fc.date({ noInvalidDate: true }), fc.maxSafeInteger(), fc.constant(null)),
  ),
)

/** A spec and the values that it makes of a row. */
const partition = fc.array(field, { minLength: 1, maxLength: 4 }).map((fields) => {
  const spec: PartitionSpec = fields.map(([transform, name], i) => ({
    column: `c${i}`,
    transform,
    name: `${name}_${i}`,
  }))
  const row = Object.fromEntries(fields.map(([, , value], i) => [`c${i}`, value]))
  const placed = partitionOf(row, spec)
  if (!placed.ok) throw new Error(placed.rejection.message)
  return { spec, values: placed.value }
})

const unescaped = (text: string): string =>
  text.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

test('no value leaves the prefix of its table, nor its directory', () => {
  fc.assert(
    fc.property(partition, ({ spec, values }) => {
      const path = partitionPath(values, spec)
      const key = `${dataPrefix('flights')}${path}/file.parquet`
      expect(keyFault(key)).toBeUndefined()
      expect(new URL(key.replaceAll('%', '%25'), 's3://lake/').pathname.startsWith('/tables/flights/data/')).toBe(true)
      const directories = path.split('/')
      expect(directories).toHaveLength(spec.length)
      for (const [i, directory] of directories.entries()) {
        const [name, ...rest] = directory.split('=')
        expect(rest).toHaveLength(1)
        expect(unescaped(name ?? '')).toBe(spec[i]?.name)
      }
    }),
    { numRuns: 500 },
  )
})

test('a path tells the values of identity apart, null and the empty text aside', () => {
  fc.assert(
    fc.property(hostile, (value) => {
      const [field] = partitionPath([value], [{ column: 'c', transform: 'identity', name: 'c' }])
        .split('=')
        .slice(1)
      if (value === '') expect(field).toBe('__HIVE_DEFAULT_PARTITION__')
      else expect(unescaped(field ?? '')).toBe(value)
    }),
    { numRuns: 500 },
  )
})

test('distinct partitions have distinct keys, and equal ones the same', () => {
  const value = fc.oneof(hostile, fc.constant(null), fc.constantFrom<PartitionValue>('a', 'b', 'a\u0000b', '"a"', 'a"'))
  const values = fc.integer({ min: 1, max: 3 }).chain((size) => {
    const some = fc.array<PartitionValue>(value, { minLength: size, maxLength: size })
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
