import fc from 'fast-check'
import { decodeJson, jsonDecoder } from '#shared/codecs/json.ts'
import type { Step } from '#shared/pipeline/outcome.ts'

const utf8 = new TextEncoder()

const decode = (text: string | Uint8Array, exactIntegers = false): Step<unknown> =>
  decodeJson(typeof text === 'string' ? utf8.encode(text) : text, { exactIntegers })

const rejection = (text: string | Uint8Array, exactIntegers = false): unknown => {
  const step = decode(text, exactIntegers)
  return step.ok ? { accepted: step.value } : { code: step.rejection.code, field: step.rejection.field }
}

const isForbidden = (key: string): boolean => key === '__proto__' || key === 'constructor'

describe('a value is carried unchanged', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['true', true],
    ['"text"', 'text'],
    ['""', ''],
    [' \t\r\n{ "a" : [ 1 , 2 ] } \n', { a: [1, 2] }],
    ['-0', -0],
    ['0.1', 0.1],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', Number.MIN_VALUE],
    ['"\\u0000\\ud83d\\ude00é😀"', '\u0000😀é😀'],
    ['"\uffff\u2028"', '\uffff\u2028'],
    ['"\\ufeff"', '\ufeff'],
    ['{"a":{"a":{"a":1}},"b":{"a":1}}', { a: { a: { a: 1 } }, b: { a: 1 } }],
    ['[{"a":1},{"a":1}]', [{ a: 1 }, { a: 1 }]],
    ['{"a":{"k":1},"b":{"k":1},"c":[{"k":1}]}', { a: { k: 1 }, b: { k: 1 }, c: [{ k: 1 }] }],
    ['{"a":":","b":"\\":","c":"{\\"a\\":1}"}', { a: ':', b: '":', c: '{"a":1}' }],
    ['{"toString":1,"hasOwnProperty":2,"prototype":3}', { toString: 1, hasOwnProperty: 2, prototype: 3 }],
    ['{"é":1,"e\u0301":2}', { é: 1, 'e\u0301': 2 }],
    ['{"2":"b","1":"a"}', { 1: 'a', 2: 'b' }],
    ['{"":{"":1}}', { '': { '': 1 } }],
  ])('%s', (text, value) => {
    expect(decode(text)).toEqual({ ok: true, value })
    expect(decode(text, true)).toEqual({ ok: true, value })
    expect(Object.is((decode(text) as { value: unknown }).value, -0)).toBe(text === '-0')
  })

  test('that lies within a larger buffer', () => {
    const buffer = utf8.encode('xx{"a":1}yy')
    expect(decode(buffer.subarray(2, 9))).toEqual({ ok: true, value: { a: 1 } })
  })
})

describe('what cannot be carried unchanged is refused, and its place named', () => {
  test.each<[string, string | Uint8Array, string, string | null]>([
    ['no bytes', '', 'JSON_INVALID', null],
    ['white space alone', ' ', 'JSON_INVALID', null],
    ['half an object', '{"a":', 'JSON_INVALID', null],
    ['two values', '{} {}', 'JSON_INVALID', null],
    ['a letter behind the value', '{"a":1}x', 'JSON_INVALID', null],
    ['a zero byte behind the value', '{"a":1}\0', 'JSON_INVALID', null],
    ['a comma too many', '[1,]', 'JSON_INVALID', null],
    ['NaN', '{"a":NaN}', 'JSON_INVALID', null],
    ['Infinity', '[Infinity]', 'JSON_INVALID', null],
    ['-Infinity', '-Infinity', 'JSON_INVALID', null],
    ['undefined', 'undefined', 'JSON_INVALID', null],
    ['a number that begins with 0', '01', 'JSON_INVALID', null],
    ['a plus sign', '+1', 'JSON_INVALID', null],
    ['a comment', '{}// text', 'JSON_INVALID', null],
    ['single quotes', "{'a':1}", 'JSON_INVALID', null],
    ['a line break in a string', '"a\nb"', 'JSON_INVALID', null],
    ['white space that is none in JSON', '\u00a0{}', 'JSON_INVALID', null],
    ['a byte-order mark alone', '\ufeff', 'JSON_INVALID', null],
    ['a byte-order mark ahead of a value', '\ufeff{}', 'JSON_INVALID', null],
    ['a byte that no UTF-8 has', Uint8Array.of(0x22, 0xff, 0x22), 'UTF8_INVALID', null],
    ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'UTF8_INVALID', null],
    ['an overlong sequence', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), 'UTF8_INVALID', null],
    ['an overlong zero', Uint8Array.of(0x22, 0xc0, 0x80, 0x22), 'UTF8_INVALID', null],
    ['UTF-8 that ends too early', Uint8Array.of(0x22, 0xe2, 0x82), 'UTF8_INVALID', null],
    ['UTF-8 that begins in the middle', Uint8Array.of(0x22, 0x80, 0x22), 'UTF8_INVALID', null],
    ['beyond the last character', Uint8Array.of(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22), 'UTF8_INVALID', null],
    ['Latin-1', Buffer.from('"équipage"', 'latin1'), 'UTF8_INVALID', null],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'UTF8_INVALID', null],
    ['a key twice', '{"a":1,"b":2,"a":1}', 'JSON_DUPLICATE_KEY', 'a'],
    ['a key twice, with the same value', '{"a":{},"a":{}}', 'JSON_DUPLICATE_KEY', 'a'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}', 'JSON_DUPLICATE_KEY', 'a'],
    ['a key twice, escaped in two ways', '{"\\/":1,"\\u002f":2}', 'JSON_DUPLICATE_KEY', '["/"]'],
    ['the empty key twice', '{"":1,"":2}', 'JSON_DUPLICATE_KEY', '[""]'],
    ['a key twice, far within', '{"x":[{"y":1},{"y":{"k":1,"k":2}}]}', 'JSON_DUPLICATE_KEY', 'x[1].y.k'],
    ['a key twice, within what the second value hides', '{"a":{"b":1,"b":2},"a":{}}', 'JSON_DUPLICATE_KEY', 'a.b'],
    ['a key twice, blanks ahead of the colon', '{"a" :1,"a"\n:2}', 'JSON_DUPLICATE_KEY', 'a'],
    ['a key three times', '[{"a":1,"a":1,"a":1}]', 'JSON_DUPLICATE_KEY', '[0].a'],
    ['a number beyond a double', '{"a":[0,1e400]}', 'JSON_NUMBER_OVERFLOW', 'a[1]'],
    ['a number beyond a double, below 0', '-1e309', 'JSON_NUMBER_OVERFLOW', null],
    ['an integer of 400 digits', '9'.repeat(400), 'JSON_NUMBER_OVERFLOW', null],
    ['half of a surrogate pair', '{"a":{"b":"\\ud83d"}}', 'JSON_LONE_SURROGATE', 'a.b'],
    ['the other half', '["\\ude00"]', 'JSON_LONE_SURROGATE', '[0]'],
    ['surrogates the wrong way round', '"\\ude00\\ud83d"', 'JSON_LONE_SURROGATE', null],
    ['a half between characters', '"a\\ud83db"', 'JSON_LONE_SURROGATE', null],
    ['half of a surrogate pair in a key', '{"\\ud83d":1}', 'JSON_LONE_SURROGATE', '["\\ud83d"]'],
    ['__proto__', '{"a":{"__proto__":{"admin":true}}}', 'JSON_FORBIDDEN_KEY', 'a.__proto__'],
    ['__proto__, escaped', '{"\\u005f_proto__":1}', 'JSON_FORBIDDEN_KEY', '__proto__'],
    ['__proto__, in a list', '[[{"__proto__":null}]]', 'JSON_FORBIDDEN_KEY', '[0][0].__proto__'],
    ['__proto__, twice', '{"__proto__":1,"__proto__":2}', 'JSON_FORBIDDEN_KEY', '__proto__'],
    ['constructor', '{"constructor":{"prototype":{}}}', 'JSON_FORBIDDEN_KEY', 'constructor'],
    ['constructor, escaped, far within', '{"a":[{"c\\u006fnstructor":1}]}', 'JSON_FORBIDDEN_KEY', 'a[0].constructor'],
  ])('%s', (_, text, code, field) => {
    expect(rejection(text)).toEqual({ code, field })
    expect(rejection(text, true)).toEqual({ code, field })
    expect('admin' in {}).toBe(false)
  })

  test.each<[string, (inner: string, depth: number) => string]>([
    ['arrays', (inner, depth) => '['.repeat(depth) + inner + ']'.repeat(depth)],
    ['objects', (inner, depth) => '{"a":'.repeat(depth) + (inner || '{}') + '}'.repeat(depth)],
    ['objects with escaped keys', (inner, depth) => '{"\\n":'.repeat(depth) + (inner || '{}') + '}'.repeat(depth)],
  ])('what lies deeper than is allowed, however deep: %s', (_, nested) => {
    for (const exact of [false, true]) {
      // With an integer that has to be read exactly, which is read by other means.
      for (const inner of ['1', '9007199254740993']) {
        expect(decode(nested(inner, 64), exact)).toMatchObject({ ok: true })
        expect(rejection(nested(inner, 65), exact)).toMatchObject({ code: 'JSON_TOO_DEEP' })
        expect(rejection(nested(inner, 20_000), exact)).toMatchObject({ code: 'JSON_TOO_DEEP' })
      }
    }
    expect(rejection(nested('', 100_000).slice(0, 100_000))).toMatchObject({ code: 'JSON_INVALID' })
  })

  test('a key that an object has twice, wherever it stands', () => {
    const key = fc
      .oneof(fc.string({ maxLength: 3 }), fc.constantFrom('"', ':', '{', '}', ',', '":', 'a b', '\\', '\\"', '\n'))
      .filter((name) => !isForbidden(name))
    const written = (name: string, escaped: boolean): string =>
      escaped
        ? `"${name
            .split('')
            .map((char) => `\\u${hex(char)}`)
            .join('')}"`
        : JSON.stringify(name)
    const hex = (char: string): string => char.charCodeAt(0).toString(16).padStart(4, '0')
    const objects = fc.uniqueArray(key, { minLength: 1, maxLength: 6 })
    const around = fc.array(fc.constantFrom('list', 'object'), { maxLength: 5 })
    fc.assert(
      fc.property(objects, fc.nat(), fc.nat(), around, fc.boolean(), (keys, which, where, outside, escaped) => {
        const at = which % keys.length
        const twice = keys[at] as string
        const fields = keys.map((name) => `${written(name, false)}: [1, {}]`)
        const doubled = fields.toSpliced(where % (keys.length + 1), 0, `${written(twice, escaped)} :0`)
        const wrapped = (inner: readonly string[]): string =>
          outside.reduce((text, kind) => (kind === 'list' ? `[0,${text}]` : `{"x":${text}}`), `{${inner.join(',')}}`)
        expect(decode(wrapped(fields))).toMatchObject({ ok: true })
        expect(rejection(wrapped(doubled))).toMatchObject({ code: 'JSON_DUPLICATE_KEY' })
        expect(String((rejection(wrapped(doubled)) as { field: unknown }).field)).toContain(
          twice === '' ? '[""]' : JSON.stringify(twice).slice(1, -1),
        )
      }),
      { numRuns: 300 },
    )
  })
})

describe('a key is the key that is written, whatever was read before', () => {
  // nodejs/node issue 63785: V8 takes what an escape begins with for a key that it knows.
  test.each<[string, string, string, string]>([
    ['a line break for a backslash', '{"\\\\":1}', '{"\\n":1}', '\n'],
    ['a quote for a backslash', '{"h":[],"\\\\":0}', '{"h":1,"\\"":2}', '"'],
    ['a letter for a backslash', '{"caf\\\\":1}', '{"caf\\u00e9":1}', 'café'],
    ['a backslash for two', '[{"\\\\\\\\\\\\\\\\":1}]', '[{"\\\\\\\\b0":2}]', '\\\\b0'],
  ])('%s', (_, before, text, key) => {
    for (const exact of [false, true]) {
      decode(before, exact)
      const step = decode(text, exact)
      const value = step.ok ? step.value : undefined
      expect(Object.keys((Array.isArray(value) ? value[0] : value) as object).at(-1)).toBe(key)
    }
  })

  test('and of no key, or of two, is another one made', () => {
    decode('{"x":1,"\\\\":1}')
    expect(decode('{"x":1,"\\n":1,"\\t":1,"\\\\":1}')).toEqual({ ok: true, value: { x: 1, '\n': 1, '\t': 1, '\\': 1 } })
  })

  test('nor where integers are exact', () => {
    for (const key of ['\\\\', '\\n', '\\"'])
      expect(decode(`{"id":9007199254740993,"${key}":{"${key}":-9007199254740993}}`, true)).toEqual({
        ok: true,
        value: {
          id: 9_007_199_254_740_993n,
          [JSON.parse(`"${key}"`)]: { [JSON.parse(`"${key}"`)]: -9_007_199_254_740_993n },
        },
      })
  })
})

describe('integers beyond ±(2^53 − 1)', () => {
  test.each<[string, unknown, unknown]>([
    ['9007199254740990', 9_007_199_254_740_990, 9_007_199_254_740_990],
    ['9007199254740991', 9_007_199_254_740_991, 9_007_199_254_740_991],
    ['9007199254740992', 9_007_199_254_740_992, 9_007_199_254_740_992n],
    ['9007199254740993', 9_007_199_254_740_992, 9_007_199_254_740_993n],
    ['-9007199254740991', -9_007_199_254_740_991, -9_007_199_254_740_991],
    ['-9007199254740992', -9_007_199_254_740_992, -9_007_199_254_740_992n],
    ['-9007199254740993', -9_007_199_254_740_992, -9_007_199_254_740_993n],
    ['9223372036854775807', 2 ** 63, 9_223_372_036_854_775_807n],
    ['9223372036854775808', 2 ** 63, 9_223_372_036_854_775_808n],
    ['-9223372036854775808', -(2 ** 63), -9_223_372_036_854_775_808n],
    ['-9223372036854775809', -(2 ** 63), -9_223_372_036_854_775_809n],
    ['123456789012345678901234567890', 1.2345678901234568e29, 123_456_789_012_345_678_901_234_567_890n],
    ['1.0000000000000000', 1, 1],
    ['12345678901234567.5', 12_345_678_901_234_568, 12_345_678_901_234_568],
    ['1e20', 1e20, 1e20],
    ['"9007199254740993"', '9007199254740993', '9007199254740993'],
  ])('%s', (text, rounded, exact) => {
    expect(decode(text)).toEqual({ ok: true, value: rounded })
    expect(decode(text, true)).toEqual({ ok: true, value: exact })
    expect(decode(`{"a":[${text}]}`, true)).toEqual({ ok: true, value: { a: [exact] } })
  })

  test('keep what else there is as it was', () => {
    const text = '{"id":9007199254740993,"b":[true,null,"x",-0,0.5,1e-400],"a":{"n":1}}'
    const value = { id: 9_007_199_254_740_993n, b: [true, null, 'x', -0, 0.5, 0], a: { n: 1 } }
    expect(decode(text, true)).toEqual({ ok: true, value })
  })

  test('a number too small for a double is 0, with its sign', () => {
    expect(decode('[1e-400,-1e-400]')).toEqual({ ok: true, value: [0, -0] })
  })
})

describe("a rejection's message", () => {
  test('holds nothing of the value', () => {
    const text = fc.constantFrom(
      '{"pin":"hunter2"',
      '["hunter2",]',
      '{"pin":hunter2}',
      '"hunter2\\x"',
      '{"a":"hunter2","a":1}',
      '{"a":"in JSON at position 1234" hunter2}',
      '["hunter2",{"__proto__":"hunter2"}]',
      '["hunter2",1e999]',
    )
    fc.assert(
      fc.property(text, fc.nat(40), (some, end) => {
        const step = decode(some.slice(0, end))
        expect(step.ok).toBe(false)
        expect(JSON.stringify(step)).not.toMatch(/hunter|1234|999/)
      }),
    )
  })

  test('tells where a text stops being JSON', () => {
    const messages = ['{"a":1,}', '{"a":"in JSON at position 99', 'nothing'].map((text) => {
      const step = decode(text)
      return step.ok ? '' : step.rejection.message
    })
    expect(messages).toEqual([
      'the value is not JSON (at position 7)',
      'the value is not JSON (at position 28)',
      'the value is not JSON',
    ])
  })

  test('names a place by keys that the caller may keep to itself', () => {
    const fieldOf = (path: readonly (string | number)[]): string => `${path.length} deep`
    const fields = ['{"a":{"b":"\\ud83d"}}', '{"a":{"b":1,"b":1}}'].map((text) => {
      const step = decodeJson(utf8.encode(text), { exactIntegers: false, fieldOf })
      return step.ok ? null : step.rejection.field
    })
    expect(fields).toEqual(['2 deep', '2 deep'])
  })
})

test('a decoder that has seen a key with an escape does not take its bare character for it', () => {
  const decodeNext = jsonDecoder({ exactIntegers: false })
  const decodeText = (text: string) => decodeNext(utf8.encode(text))
  for (const [escaped, bare] of [
    ['{"\\n":1}', '{"\n":1}'],
    ['{"a\\"b":1}', '{"a"b":1}'],
  ] as const) {
    expect(decodeText(escaped)).toMatchObject({ ok: true })
    expect(decodeText(bare)).toMatchObject({ ok: false, rejection: { code: 'JSON_INVALID' } })
  }
})
