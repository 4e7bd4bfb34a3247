import fc from 'fast-check'
import { bitWidthOf, hybridBytes } from '#shared/formats/parquet/hybrid.ts'

/** A plain reader of Encodings.md, "Run Length Encoding / Bit-Packing Hybrid". */
function readHybrid(bytes: Uint8Array, count: number, bitWidth: number): number[] {
  const bitsOf = (from: number, length: number): string =>
    Array.from(bytes.subarray(from, from + length), (byte) => byte.toString(2).padStart(8, '0'))
      .reverse()
      .join('')
  const values: number[] = []
  let at = 0
  while (at < bytes.length) {
    const length = bytes.subarray(at).findIndex((byte) => byte < 0x80) + 1
    const groups = Array.from(bytes.subarray(at, at + length), (byte) => (byte & 0x7f).toString(2).padStart(7, '0'))
    const header = Number.parseInt(groups.reverse().join(''), 2)
    at += length
    const width = header % 2 === 0 ? Math.ceil(bitWidth / 8) : ((header - 1) / 2) * bitWidth
    const bits = bitsOf(at, width)
    at += width
    if (header % 2 === 0) values.push(...Array.from({ length: header / 2 }, () => Number.parseInt(`0${bits}`, 2)))
    else
      for (let end = bits.length; end > 0; end -= bitWidth)
        values.push(Number.parseInt(bits.slice(end - bitWidth, end), 2))
  }
  return values.slice(0, count)
}

test('what is written is what is read, whatever runs and widths there are', () => {
  const runs = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(3000))), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), runs, (bitWidth, all) => {
      const values = all.flatMap(([value, length]) => Array.from({ length }, () => value % 2 ** bitWidth))
      expect(readHybrid(hybridBytes(values, values.length, bitWidth), values.length, bitWidth)).toEqual(values)
    }),
    { numRuns: 300 },
  )
})

test('values of no bits take none', () => {
  expect(hybridBytes([0, 0, 0], 3, 0)).toEqual(Uint8Array.of(1 | (1 << 1)))
  expect(hybridBytes(new Uint8Array(100_000), 100_000, 0)).toHaveLength(3)
})

test('a run of eight is written as one, and a run of seven is packed', () => {
  expect(hybridBytes([5, 5, 5, 5, 5, 5, 5, 5], 8, 3)).toEqual(Uint8Array.of(8 << 1, 5))
  expect(hybridBytes([5, 5, 5, 5, 5, 5, 5], 7, 3)).toEqual(Uint8Array.of(1 | (1 << 1), 0x6d, 0xdb, 0x16))
})

test.each([
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 2],
  [256, 8],
  [257, 9],
  [65_536, 16],
])('the numbers below %i have %i bits', (count, bits) => {
  expect(bitWidthOf(count)).toBe(bits)
})
