import fc from 'fast-check'
import { common, united, without } from '#shared/lake/verify/offset-ranges.ts'
import { type OffsetRange, rangesOf } from '#shared/pipeline/commit.ts'

const MAX = Number.MAX_SAFE_INTEGER

test.each<[what: string, lists: OffsetRange[][], union: OffsetRange[]]>([
  ['nothing', [[], []], []],
  ['neighbours become one', [[[0, 3]], [[4, 5]]], [[0, 5]]],
  [
    'overlaps become one',
    [
      [[0, 9]],
      [
        [3, 4],
        [8, 12],
      ],
    ],
    [[0, 12]],
  ],
  [
    'in any order',
    [
      [
        [7, 8],
        [0, 1],
      ],
    ],
    [
      [0, 1],
      [7, 8],
    ],
  ],
  ['a range that ends before it begins holds nothing', [[[5, 4]]], []],
])('united: %s', (_, lists, union) => {
  expect(united(...lists)).toEqual(union)
})

test('to the last offset that there can be', () => {
  expect(without([[0, MAX - 1]], [[5, 7]])).toEqual([
    [0, 4],
    [8, MAX - 1],
  ])
  expect(without([[0, MAX - 1]], [[0, MAX - 1]])).toEqual([])
  expect(common([[0, MAX - 1]], [[5, 7]])).toEqual([[5, 7]])
})

test('they are what sets of offsets are', () => {
  const offsets = fc.uniqueArray(fc.nat(60), { maxLength: 40 }).map((list) => new Set(list))
  const ranges = (set: ReadonlySet<number>): OffsetRange[] => rangesOf([...set].sort((a, b) => a - b))
  fc.assert(
    fc.property(offsets, offsets, (a, b) => {
      expect(united(ranges(a), ranges(b))).toEqual(ranges(a.union(b)))
      expect(without(ranges(a), ranges(b))).toEqual(ranges(a.difference(b)))
      expect(common(ranges(a), ranges(b))).toEqual(ranges(a.intersection(b)))
    }),
    { numRuns: 500 },
  )
})
