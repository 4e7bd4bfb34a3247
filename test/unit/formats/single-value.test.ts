import {
  lowerBound,
  shortestBytes,
  type SingleKind,
  singleValueBytes,
  type SingleValue,
  upperBound,
} from '#shared/formats/single-value.ts'
import { hex } from '#test/helpers/stored.ts'

/** Iceberg's specification, Appendix D; numbers of its own test suite (`TestConversions`) and computed by Python's `struct`. */
test.each<[SingleKind, SingleValue, string]>([
  ['boolean', false, '00'],
  ['boolean', true, '01'],
  ['int32', 84_202, 'ea480100'],
  ['int32', -1, 'ffffffff'],
  ['int64', 200n, 'c800000000000000'],
  ['int64', -9_223_372_036_854_775_808n, '0000000000000080'],
  ['float', -4.5, '000090c0'],
  ['float', -0, '00000080'],
  ['double', 6, '0000000000001840'],
  ['double', -0, '0000000000000080'],
  ['date', 1000, 'e8030000'],
  ['date', -1, 'ffffffff'],
  ['timestamp', 400_000n, '801a060000000000'],
  ['timestamp', -1n, 'ffffffffffffffff'],
  ['string', 'ABC', '414243'],
  ['string', 'é😀', 'c3a9f09f9880'],
  ['string', '', ''],
  ['binary', Uint8Array.of(0, 255), '00ff'],
  ['uuid', Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex'), 'f79c3e09677c4bbda4793f349cb785e7'],
  ['decimal', 345n, '0159'],
  ['decimal', 1_234_567_890_123_456_789n, '112210f47de98115'],
  ['decimal', 0n, '00'],
  ['decimal', -1n, 'ff'],
  ['decimal', 127n, '7f'],
  ['decimal', 128n, '0080'],
  ['decimal', -128n, '80'],
  ['decimal', -129n, 'ff7f'],
])('%s %p', (kind, value, bytes) => {
  expect(hex(singleValueBytes(kind, value))).toBe(bytes)
})

test('decimals have as few bytes as hold them', () => {
  const greatest = 10n ** 38n - 1n
  expect(hex(shortestBytes(greatest))).toBe('4b3b4ca85a86c47a098a223fffffffff')
  expect(hex(shortestBytes(-greatest))).toBe('b4c4b357a5793b85f675ddc000000001')
})

const lowerText = (text: string): string => Buffer.from(lowerBound('string', text)).toString('utf8')
const upperText = (text: string): string | null => {
  const bound = upperBound('string', text)
  return bound === null ? null : Buffer.from(bound).toString('utf8')
}

describe('bounds of texts', () => {
  test.each(['', 'a', 'x'.repeat(16), '😀'.repeat(16), 'é'])('are the text itself up to 16 code points: %p', (text) => {
    expect([lowerText(text), upperText(text)]).toEqual([text, text])
    const utf8 = Buffer.from(text, 'utf8')
    expect([Buffer.from(lowerBound('string', utf8)), Buffer.from(upperBound('string', utf8) ?? 'none')]).toEqual([
      utf8,
      utf8,
    ])
  })

  test.each([
    ['a'.repeat(17), 'a'.repeat(16), `${'a'.repeat(15)}b`],
    ['😀'.repeat(5000), '😀'.repeat(16), `${'😀'.repeat(15)}😁`],
    [`a${'😀'.repeat(40)}`, `a${'😀'.repeat(15)}`, `a${'😀'.repeat(14)}😁`],
    // The greatest code point has none above it, the one before the surrogates has one behind them.
    [`a${'\u{10ffff}'.repeat(20)}`, `a${'\u{10ffff}'.repeat(15)}`, 'b'],
    [`${'a'.repeat(15)}\ud7ffx`, `${'a'.repeat(15)}\ud7ff`, `${'a'.repeat(15)}\ue000`],
    [`${'a'.repeat(15)}\uffffx`, `${'a'.repeat(15)}\uffff`, `${'a'.repeat(15)}\u{10000}`],
  ])('of more are cut, and the greater made greater: %p', (text, lower, upper) => {
    expect([lowerText(text), upperText(text)]).toEqual([lower, upper])
    const utf8 = Buffer.from(text, 'utf8')
    expect(Buffer.from(upperBound('string', utf8) ?? 'none').toString('utf8')).toBe(upper)
    expect(Buffer.from(lowerBound('string', utf8)).toString('utf8')).toBe(lower)
  })

  test('there is none above the greatest of all', () => {
    expect(upperText('\u{10ffff}'.repeat(17))).toBeNull()
    expect(upperText('\u{10ffff}'.repeat(16))).toBe('\u{10ffff}'.repeat(16))
  })
})

describe('bounds of bytes', () => {
  const bounds = (bytes: Uint8Array): (string | null)[] => {
    const upper = upperBound('binary', bytes)
    return [hex(lowerBound('binary', bytes)), upper === null ? null : hex(upper)]
  }

  test.each([
    [Buffer.alloc(16, 0xff), 'ff'.repeat(16), 'ff'.repeat(16)],
    [Buffer.alloc(17, 1), '01'.repeat(16), `${'01'.repeat(15)}02`],
    [Buffer.concat([Buffer.of(1, 2), Buffer.alloc(20, 0xff)]), `0102${'ff'.repeat(14)}`, '0103'],
    [Buffer.alloc(17, 0xff), 'ff'.repeat(16), null],
    [Buffer.alloc(0), '', ''],
  ])('%p', (bytes, lower, upper) => {
    const copy = Buffer.from(bytes)
    expect(bounds(bytes)).toEqual([lower, upper])
    expect(bytes).toEqual(copy)
  })
})

test('other values are their own bounds', () => {
  expect(hex(lowerBound('decimal', -(10n ** 38n - 1n)))).toBe('b4c4b357a5793b85f675ddc000000001')
  expect(hex(upperBound('int64', 7n) ?? new Uint8Array())).toBe('0700000000000000')
})
