import { shortened, thrownText } from '#shared/pipeline/message.ts'

describe('shortened', () => {
  test.each<[string, number, string]>([
    ['', 3, ''],
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc…'],
    ['ab😀', 4, 'ab😀'],
    ['ab😀c', 4, 'ab😀…'],
    ['ab😀c', 3, 'ab…'],
    ['😀😀', 1, '…'],
    ['a\ufffdbc', 2, 'a\ufffd…'],
  ])('%j to %i is %j', (text, length, short) => {
    expect(shortened(text, length)).toBe(short)
  })
})

class NoSuchFlightError extends Error {
  override readonly name = 'NoSuchFlight'
}

describe('what was thrown', () => {
  const hostile = {
    toString: () => {
      throw new Error('no text')
    },
  }
  const unnamed = Object.assign(new Error('hunter2'), { name: hostile })

  test.each<[string, unknown, string, string]>([
    ['an error', new RangeError('no such act'), 'RangeError: no such act', 'RangeError'],
    ['an error of its own class', new NoSuchFlightError('UA 1'), 'NoSuchFlight: UA 1', 'NoSuchFlightError'],
    ['an error whose name was set', Object.assign(new TypeError('x'), { name: 'hunter2' }), 'hunter2: x', 'TypeError'],
    ['an error without a text', new Error(' '), 'Error:  ', 'Error'],
    ['text', 'text', 'string: text', 'string'],
    ['a number', 7, 'number: 7', 'number'],
    ['nothing', undefined, 'undefined: undefined', 'undefined'],
    ['null', null, 'object: null', 'object'],
    ['a symbol', Symbol('s'), 'symbol: Symbol(s)', 'symbol'],
    ['an object without a text', Object.create(null), 'something that has no text', 'object'],
    ['an object that throws', hostile, 'something that has no text', 'object'],
    ['an error whose name is no text', unnamed, 'something that has no text', 'Error'],
    ['half of a surrogate pair', new Error('a\ud83d'), 'Error: a\ufffd', 'Error'],
    ['an error of no class', Object.setPrototypeOf(new Error('x'), null), 'something that has no text', 'object'],
  ])('%s', (_, thrown, told, quiet) => {
    expect(thrownText(thrown, true)).toBe(quiet)
    expect(thrownText(thrown, false)).toBe(told)
  })

  test('is shortened', () => {
    expect(thrownText(new Error('x'.repeat(10_000)), false).length).toBeLessThan(320)
    expect(thrownText('x'.repeat(10_000), false).length).toBeLessThan(320)
  })
})
