import {
  compareValues,
  fromBytes,
  kindOf,
  precisionOf,
  type SingleValue,
  toBytes,
} from '#shared/lake/iceberg/single-value.ts'

test.each<[string, SingleValue]>([
  ['boolean', true],
  ['boolean', false],
  ['int', -7],
  ['long', -9_223_372_036_854_775_808n],
  ['float', -4.5],
  ['double', 1e300],
  ['date', -719_162],
  ['time', 36_000_000_000n],
  ['timestamp', 400_000n],
  ['timestamptz', -1n],
  ['string', '\ufeffé😀'],
  ['string', ''],
  ['decimal(9, 2)', -1420n],
  ['decimal(38,0)', 10n ** 38n - 1n],
  ['decimal(1, 0)', 0n],
])('%s %p survives its bytes', (type, value) => {
  expect(fromBytes(type, toBytes(type, value))).toEqual(value)
})

test.each(['uuid', 'binary', 'fixed[3]', 'geometry'])('%s is its bytes', (type) => {
  const bytes = Uint8Array.of(1, 2, 255)
  expect(fromBytes(type, toBytes(type, bytes))).toEqual(bytes)
})

test('what was written when the type was narrower is read as it was', () => {
  expect(fromBytes('long', toBytes('int', -5))).toBe(-5n)
  expect(fromBytes('double', toBytes('float', 0.5))).toBe(0.5)
  expect(fromBytes('decimal(20, 2)', toBytes('decimal(9, 2)', 314n))).toBe(314n)
})

test('decimals are written with and without a space', () => {
  expect([precisionOf('decimal(9, 2)'), precisionOf('decimal(38,10)'), kindOf('decimal(9,2)')]).toEqual([
    9,
    38,
    'decimal',
  ])
})

test('the order of values', () => {
  const sorted: SingleValue[][] = [
    [-2, -0, 0, 1.5, Infinity],
    [-(2n ** 63n), -1n, 2n ** 53n, 2n ** 53n + 1n],
    [false, true],
    // By code points, not by UTF-16 units.
    ['', 'Z', 'a', 'ab', '\uffff', '\u{10000}'],
    [Uint8Array.of(), Uint8Array.of(0x7f, 0xff), Uint8Array.of(0x80)],
  ]
  for (const values of sorted) expect(values.toReversed().toSorted(compareValues)).toEqual(values)
  expect(compareValues('a', 'a')).toBe(0)
  expect(compareValues(5n, 5n)).toBe(0)
})
