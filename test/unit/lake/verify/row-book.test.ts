import { RowBook } from '#shared/lake/verify/row-book.ts'
import { Random } from '#test/helpers/simulation/random.ts'

/** A book of the offsets 10…12 and 20…21 with these rows. */
function bookOf(...rows: [offset: number, index: number][]): RowBook {
  const book = new RowBook([
    [10, 12],
    [20, 21],
  ])
  for (const [offset, index] of rows) expect(book.enter(offset, index)).toBe(true)
  return book
}

test('rows in any order, and records of none', () => {
  const book = bookOf([20, 1], [10, 0], [20, 0], [21, 0], [20, 2])
  expect(book.balance()).toEqual({ records: 3, firstWithout: 11, faults: [] })
})

test.each([
  [9, 0],
  [13, 0],
  [19, 0],
  [22, 0],
  [10, -1],
  [10, 2 ** 32],
])('offset %i with index %i is not entered', (offset, index) => {
  const book = bookOf()
  expect(book.enter(offset, index)).toBe(false)
  expect(book.balance().records).toBe(0)
})

test.each<[what: string, rows: [number, number][], faults: string[]]>([
  [
    'twice',
    [
      [12, 0],
      [12, 0],
    ],
    ['row 0 of offset 12 is there twice'],
  ],
  [
    'three times',
    [
      [12, 0],
      [12, 0],
      [12, 0],
    ],
    ['row 0 of offset 12 is there twice, and 1 more like it'],
  ],
  ['without its first', [[21, 1]], ['row 0 of offset 21 is missing, but there is row 1']],
  [
    'with a hole',
    [
      [10, 0],
      [10, 2],
      [11, 0],
    ],
    ['row 1 of offset 10 is missing, but there is row 2'],
  ],
  [
    'both',
    [
      [10, 1],
      [10, 1],
      [20, 0],
      [20, 0],
    ],
    ['row 1 of offset 10 is there twice, and 1 more like it', 'row 0 of offset 10 is missing, but there is row 1'],
  ],
])('%s', (_, rows, faults) => {
  expect(bookOf(...rows).balance().faults).toEqual(faults)
})

test.each<[rows: [number, number][], offset: number | undefined]>([
  [[], 10],
  [[[10, 0]], 11],
  [[[11, 0]], 10],
  [
    [
      [10, 0],
      [11, 0],
      [12, 0],
    ],
    20,
  ],
  [
    [
      [10, 0],
      [11, 0],
      [12, 0],
      [20, 0],
      [20, 1],
    ],
    21,
  ],
  [
    [
      [10, 0],
      [11, 0],
      [12, 0],
      [20, 0],
      [21, 0],
    ],
    undefined,
  ],
])('with the rows %j offset %p is the first without', (rows, offset) => {
  expect(bookOf(...rows).balance().firstWithout).toBe(offset)
})

test('many rows of far offsets', () => {
  const first = 2 ** 52
  const book = new RowBook([[first, first + 4999]])
  const rows = Array.from({ length: 15_000 }, (_, i) => [first + Math.floor(i / 3), i % 3] as const)
  for (const [offset, index] of new Random(1).shuffled(rows)) book.enter(offset, index)
  expect(book.balance()).toEqual({ records: 5000, firstWithout: undefined, faults: [] })
  book.enter(first + 4321, 1)
  expect(book.balance().faults).toEqual([`row 1 of offset ${first + 4321} is there twice`])
})
