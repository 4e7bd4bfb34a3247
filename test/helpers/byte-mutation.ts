import fc from 'fast-check'

/** One change of some bytes; `at` and `to` count round the end, so that each fits any length. */
export interface ByteMutation {
  readonly kind: 'replace' | 'insert' | 'remove' | 'copy' | 'cut'
  readonly at: number
  /** For a copy, where its end lies; for a removal how many bytes it takes. */
  readonly to: number
  readonly bytes: Uint8Array
}

/** What JSON is made of, and what it is often taken to be. */
export const FRAGMENTS: readonly string[] = [
  ['{', '}', '[', ']', '"', ':', ',', '\\', '-', '.', '0', '1', 'e', 'E', '+', ' ', '\n', '\u0000', '/', "'"],
  ['null', 'true', 'false', 'NaN', 'Infinity', 'undefined', '\\u', '\\ud83d', '\\ude00', '\\\\', '\\"', '\\n'],
  [
    '"a":',
    '"a":1,',
    '"__proto__":',
    '"constructor":',
    '"\\u005f_proto__":',
    '{}',
    '[]',
    '{"a":1}',
    '[[',
    ']]',
    '\\u0061',
  ],
  ['1e400', '1e-400', '-0', '9007199254740993', '9223372036854775808', '0123', '1.0', '\ufeff', 'é', '😀'],
].flat()

/** Bytes that no UTF-8 has, or not so. */
export const BAD_BYTES: readonly (readonly number[])[] = [
  [0xff],
  [0xc0, 0xaf],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x80],
]

export function mutated(bytes: Uint8Array, { kind, at, to, bytes: piece }: ByteMutation): Uint8Array {
  const i = at % (bytes.length + 1)
  const j = to % (bytes.length + 1)
  const [start, end] = i < j ? [i, j] : [j, i]
  const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
  switch (kind) {
    case 'replace':
      return joined(bytes.subarray(0, i), piece, bytes.subarray(i + piece.length))
    case 'insert':
      return joined(bytes.subarray(0, i), piece, bytes.subarray(i))
    case 'remove':
      return joined(bytes.subarray(0, i), bytes.subarray(i + 1 + (to % 8)))
    case 'copy':
      return joined(bytes.subarray(0, end), bytes.subarray(start, end), bytes.subarray(end))
    case 'cut':
      return bytes.slice(0, i)
  }
}

/** Any mutation. */
export const byteMutation: fc.Arbitrary<ByteMutation> = fc.record({
  kind: fc.constantFrom('replace', 'replace', 'insert', 'insert', 'remove', 'copy', 'cut'),
  at: fc.nat(),
  to: fc.nat(),
  bytes: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...FRAGMENTS).map((text) => new Uint8Array(Buffer.from(text))) },
    { weight: 1, arbitrary: fc.constantFrom(...BAD_BYTES).map((bytes) => Uint8Array.from(bytes)) },
    { weight: 2, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 2 }) },
  ),
})
