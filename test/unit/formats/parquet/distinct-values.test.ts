import fc from 'fast-check'
import { distinctValues } from '#shared/formats/parquet/distinct-values.ts'

const found = (values: Int32Array | Float64Array) => {
  const distinct = distinctValues(new Int32Array(values.buffer), values.length)
  return distinct && { values: distinct.firsts.map((first) => values[first]), codes: [...distinct.codes] }
}

test('each value is told once, in the order of their coming', () => {
  expect(found(Int32Array.of(7, 7, -1, 7, -1, -1))).toEqual({ values: [7, -1], codes: [0, 0, 1, 0, 1, 1] })
})

test('values are the same when their bits are', () => {
  expect(found(Float64Array.of(-0, 0, -0, 0, Number.NaN, Number.NaN))).toEqual({
    values: [-0, 0, Number.NaN],
    codes: [0, 1, 0, 1, 2, 2],
  })
})

test('of numbers that differ in one half only', () => {
  expect(found(Float64Array.of(1, 1 + Number.EPSILON, 2, 1, 1 + Number.EPSILON, 2))?.values).toHaveLength(3)
})

test('nothing is told of values that mostly differ', () => {
  expect(found(Int32Array.of(1, 2, 3))).toBeUndefined()
  // The second half would have made up for it, but what begins like that seldom goes on otherwise.
  expect(found(Int32Array.from({ length: 10_000 }, (_, i) => i % 1000))).toBeUndefined()
})

test('as a map has it, for any values that come often', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(), { minLength: 60 }),
      (some, picks) => {
        const values = Int32Array.from(picks, (pick) => some[pick % some.length] as number)
        const distinct = found(values)
        expect(distinct?.values).toEqual([...new Set(values)])
        expect(distinct?.codes.map((code) => distinct.values[code])).toEqual([...values])
      },
    ),
  )
})
