import fc from 'fast-check'
import { inRanges, rangesOf, rangesSize } from '#shared/pipeline/commit.ts'

const offsets = fc.uniqueArray(fc.integer({ min: 0, max: 60 })).map((some) => some.toSorted((a, b) => a - b))

describe('ranges of offsets', () => {
  test.each<[number[], [number, number][]]>([
    [[], []],
    [[5], [[5, 5]]],
    [[0, 1, 2], [[0, 2]]],
    [
      [0, 2, 3, 9],
      [
        [0, 0],
        [2, 3],
        [9, 9],
      ],
    ],
    [
      [Number.MAX_SAFE_INTEGER - 2, Number.MAX_SAFE_INTEGER - 1],
      [[Number.MAX_SAFE_INTEGER - 2, Number.MAX_SAFE_INTEGER - 1]],
    ],
  ])('of %p', (some, ranges) => {
    expect(rangesOf(some)).toEqual(ranges)
  })

  test('hold the offsets they were made of, and no other', () => {
    fc.assert(
      fc.property(offsets, (some) => {
        const ranges = rangesOf(some)
        for (let offset = -1; offset <= 61; offset++) expect(inRanges(offset, ranges)).toBe(some.includes(offset))
        expect(rangesSize(ranges)).toBe(some.length)
      }),
    )
  })

  test('are the fewest: between two there is a gap', () => {
    fc.assert(
      fc.property(offsets, (some) => {
        const ranges = rangesOf(some)
        for (const [i, [first]] of ranges.entries()) expect(first - (ranges[i - 1]?.[1] ?? -2)).toBeGreaterThan(1)
      }),
    )
  })
})
