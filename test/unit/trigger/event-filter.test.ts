import type { FilterPattern } from '#shared/pipeline/filter-pattern.ts'
import { compileFilters } from '#shared/trigger/event-filter.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'

const lets = (pattern: FilterPattern['value'], value: string | Uint8Array | null): boolean =>
  compileFilters([{ value: pattern }])(kafkaRecord(value))

describe('rules', () => {
  test.each<[string, FilterPattern['value'], string[], string[]]>([
    ['null', { a: [null] }, ['{"a":null}'], ['{"a":0}', '{"a":""}', '{"a":"null"}', '{"b":null}']],
    ['empty', { a: [''] }, ['{"a":""}'], ['{"a":" "}', '{"a":null}', '{}']],
    ['equals', { a: ['Alice'] }, ['{"a":"Alice"}'], ['{"a":"alice"}', '{"a":"Alice "}', '{"A":"Alice"}']],
    ['equals true', { a: [true] }, ['{"a":true}'], ['{"a":"true"}', '{"a":false}', '{"a":1}']],
    [
      'equals, whatever the case',
      { a: [{ 'equals-ignore-case': 'alice' }] },
      ['{"a":"ALICE"}', '{"a":"alice"}'],
      ['{"a":"alic"}', '{"a":null}'],
    ],
    ['and', { a: ['x'], b: ['y'] }, ['{"a":"x","b":"y"}'], ['{"a":"x"}', '{"a":"x","b":"x"}']],
    ['or', { a: ['x', 'y', 1] }, ['{"a":"x"}', '{"a":"y"}', '{"a":1}'], ['{"a":"z"}', '{"a":"1"}']],
    [
      'or of fields, and another',
      { c: [1], $or: [{ a: ['x'] }, { b: ['y'], d: [{ exists: false }] }] },
      ['{"c":1,"a":"x"}', '{"c":1,"b":"y"}', '{"c":1,"a":"x","b":"y","d":1}'],
      ['{"a":"x"}', '{"c":1}', '{"c":1,"b":"y","d":1}'],
    ],
    ['not', { a: [{ 'anything-but': ['x', 'y'] }] }, ['{"a":"z"}', '{"a":1}', '{"a":null}'], ['{"a":"x"}', '{}']],
    ['not one number', { a: [{ 'anything-but': 1 }] }, ['{"a":2}', '{"a":"1"}', '{"a":1.0}'], ['{"a":1}']],
    ['number', { a: [300] }, ['{"a":300}'], ['{"a":300.0}', '{"a":3e2}', '{"a":"300"}']],
    [
      'numeric equals',
      { a: [{ numeric: ['=', 300] }] },
      ['{"a":300}', '{"a":300.0}', '{"a":3e2}'],
      ['{"a":301}', '{"a":"300"}'],
    ],
    [
      'range',
      { a: [{ numeric: ['>', 10, '<=', 20] }] },
      ['{"a":10.5}', '{"a":20}'],
      ['{"a":10}', '{"a":20.1}', '{"a":null}', '{}'],
    ],
    ['at least', { a: [{ numeric: ['>=', 10] }] }, ['{"a":10}', '{"a":1e9}'], ['{"a":9}']],
    ['less', { a: [{ numeric: ['<', 10] }] }, ['{"a":9}'], ['{"a":10}']],
    [
      'exists',
      { a: { b: [{ exists: true }] } },
      ['{"a":{"b":null}}', '{"a":{"b":[1]}}', '{"a":[{},{"b":1}]}'],
      ['{"a":{}}', '{"a":{"b":{"c":1}}}', '{"a":{"b":[]}}', '{"a":1}', '{}'],
    ],
    [
      'does not exist',
      { a: { b: [{ exists: false }] } },
      ['{"a":{}}', '{}', '{"a":1}', '{"a":{"b":{"c":1}}}'],
      ['{"a":{"b":null}}'],
    ],
    ['begins with', { a: [{ prefix: 'us-' }] }, ['{"a":"us-east"}'], ['{"a":"eu-us-"}', '{"a":1}']],
    ['ends with', { a: [{ suffix: '.png' }] }, ['{"a":"x.png"}'], ['{"a":"x.png "}', '{"a":null}']],
    ['an item of a list', { a: ['x'] }, ['{"a":["y","x"]}'], ['{"a":["y"]}', '{"a":[]}', '{"a":[["x"]]}']],
    [
      'one object of a list',
      { a: { b: [1], c: [2] } },
      ['{"a":[{"b":9},{"b":1,"c":2}]}'],
      ['{"a":[{"b":1},{"c":2}]}', '{"a":[1]}'],
    ],
    ['a list at the top', { a: [1] }, ['[{"a":2},{"a":1}]'], ['[{"a":2}]', '[1]', '[]']],
    ['a field that objects inherit', { toString: [{ exists: true }] }, ['{"toString":1}'], ['{}']],
  ])('%s', (_, pattern, matching, others) => {
    expect(matching.map((value) => [value, lets(pattern, value)])).toEqual(matching.map((value) => [value, true]))
    expect(others.map((value) => [value, lets(pattern, value)])).toEqual(others.map((value) => [value, false]))
  })
})

test('plain text is matched as a whole', () => {
  expect(lets([{ 'anything-but': ['error'] }], 'error')).toBe(false)
  expect(lets([{ 'anything-but': ['error'] }], 'fine')).toBe(true)
  expect(lets([{ prefix: 'er' }], 'error')).toBe(true)
  expect(lets(['12', '"x"'], '12')).toBe(true)
  expect(lets(['12', '"x"'], '"x"')).toBe(true)
  expect(lets(['12'], '"12"')).toBe(false)
})

test.each<[string, FilterPattern['value'], string | Uint8Array | null]>([
  ['text, where fields are asked for', { a: ['x'] }, 'error'],
  ['JSON, where text is asked for', ['error'], '{"a":1}'],
  ['what begins like JSON and is none', { a: ['x'] }, '{"a":'],
  ['bytes that are no UTF-8, fields', { a: ['x'] }, Uint8Array.of(0x7b, 0xff)],
  ['bytes that are no UTF-8, text', ['error'], Uint8Array.of(0xff)],
  ['a tombstone, fields', { a: ['x'] }, null],
  ['a tombstone, text', ['error'], null],
])('a filter does not speak of %s: it is delivered', (_, pattern, value) => {
  expect(lets(pattern, value)).toBe(true)
})

test('one of several filters is enough, and none lets everything through', () => {
  const filter = compileFilters([{ value: { a: [1] } }, { value: { b: [1] } }])
  expect(['{"a":1}', '{"b":1}', '{"c":1}'].map((value) => filter(kafkaRecord(value)))).toEqual([true, true, false])
  expect(compileFilters([])(kafkaRecord(null))).toBe(true)
})
