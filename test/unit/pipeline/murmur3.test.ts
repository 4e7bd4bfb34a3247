import { hashBytes, hashInteger, hashText } from '#shared/pipeline/murmur3.ts'

/** Iceberg's specification, Appendix B "32-bit Hash Requirements". */
describe('the test values of the specification', () => {
  test('integers', () => {
    expect(hashInteger(34)).toBe(2017239379)
    expect(hashInteger(34n)).toBe(2017239379)
    expect(hashInteger(Date.UTC(2017, 10, 16) / 86_400_000)).toBe(-653330422)
    expect(hashInteger(Date.UTC(2017, 10, 16, 22, 31, 8) * 1000)).toBe(-2047944441)
  })

  test('text', () => {
    expect(hashText('iceberg')).toBe(1210000089)
  })

  test('bytes', () => {
    expect(hashBytes(new Uint8Array([0, 1, 2, 3]))).toBe(-188683207)
    expect(hashBytes(Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex'))).toBe(1488055340)
  })
})

test.each([
  0,
  -1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  -(2 ** 32),
  2 ** 52 + 12345,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
])('%d is hashed alike as a number, as a bigint and as its eight bytes', (value) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  expect(hashInteger(BigInt(value))).toBe(hashBytes(bytes))
  expect(hashInteger(value)).toBe(hashBytes(bytes))
})

test('a text is hashed as its UTF-8, whatever its length', () => {
  for (const length of [0, 1, 2, 3, 4, 5, 511, 512, 513, 1535, 1536, 1537, 5000]) {
    for (const char of ['a', 'é', '日', '🛫']) {
      const text = char.repeat(length)
      expect(hashText(text)).toBe(hashBytes(new TextEncoder().encode(text)))
    }
  }
})

test('a text is hashed without what an earlier one has left behind', () => {
  const before = hashText('ab')
  hashText('abcdefgh')
  expect(hashText('ab')).toBe(before)
})

test('only as many bytes as asked for count', () => {
  expect(hashBytes(new Uint8Array([0, 1, 2, 3, 250, 251]), 4)).toBe(-188683207)
})
