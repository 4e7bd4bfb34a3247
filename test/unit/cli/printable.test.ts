import fc from 'fast-check'
import { bytesText, printable, shortened, textOf, timeText } from '#shared/cli/printable.ts'

test('nothing that steers a terminal or turns its text around comes through', () => {
  expect(printable('a\n\t\u001b[31mb\u009b\u007f\u202e\u2028\u2066')).toBe(
    'a\\x0a\\x09\\x1b[31mb\\x9b\\x7f\\u202e\\u2028\\u2066',
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
    }),
  )
})

test('plain text of any script stays', () => {
  expect(printable('Zoë Núñez 中文 😀')).toBe('Zoë Núñez 中文 😀')
})

test('a text is cut to its length, never within a character', () => {
  expect(shortened('abcdef', 6)).toBe('abcdef')
  expect(shortened('abcdefg', 6)).toBe('abcde…')
  expect(shortened('ab😀cd', 4)).toBe('ab…')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, length) => {
      const short = shortened(text.toWellFormed(), length)
      expect(short.length).toBeLessThanOrEqual(length)
      expect(short.isWellFormed()).toBe(true)
    }),
  )
})

test('bytes are text only when they are UTF-8', () => {
  expect(bytesText(Buffer.from('hë'))).toBe('hë')
  expect(bytesText(Buffer.from([0xff, 0x00]))).toBe('0xff00')
  expect(textOf(Buffer.from([0xc3]))).toBeUndefined()
  expect(textOf(Buffer.from('\ufeffa'))).toBe('\ufeffa')
})

test('a time that no calendar has is its number', () => {
  expect(timeText(1_700_000_000_001)).toBe('2023-11-14T22:13:20.001Z')
  expect(timeText(-1)).toBe('1969-12-31T23:59:59.999Z')
  expect(timeText(9e15)).toBe('9000000000000000')
})
