import { FlatJson } from '#shared/codecs/flat-json.ts'

const reader = (...examples: readonly string[]): FlatJson => {
  const flat = new FlatJson()
  for (const example of examples) flat.learn(JSON.parse(example))
  return flat
}
const EXAMPLE = '{"a":1,"b":"x","c":null}'

test.each([
  EXAMPLE,
  '{"a":-0,"b":"","c":true}',
  ' {\t"a" : 12.50 ,\r\n"b":"é😀 \u007f" , "c":false}\n',
  '{"a":999999999999999,"b":"{\\u0022"}'.replace('{\\u0022"', '{"').replace('}', ',"c":"]}"}'),
  '{"a":0.1,"b":-12,"c":123456789012345.6}',
])('reads %s as JSON.parse does', (text) => {
  const read = reader(EXAMPLE).read(text)
  expect(read).toStrictEqual(JSON.parse(text))
  expect(Object.is((read as { a: number }).a, (JSON.parse(text) as { a: number }).a)).toBe(true)
})

test.each([
  ['another order', '{"b":"x","a":1,"c":null}'],
  ['a key less', '{"a":1,"b":"x"}'],
  ['a key more', '{"a":1,"b":"x","c":null,"d":1}'],
  ['a key twice', '{"a":1,"a":1,"b":"x","c":null}'],
  ['a key that only begins like that', '{"a":1,"bb":"x","c":null}'],
  ['a key without its last quote', '{"a":1,"b_:"x","c":null}'],
  ['an escape in a key', '{"a":1,"\\u0062":"x","c":null}'],
  ['an escape', '{"a":1,"b":"\\n","c":null}'],
  ['a control character', '{"a":1,"b":"\n","c":null}'],
  ['an object', '{"a":1,"b":{},"c":null}'],
  ['a list', '{"a":1,"b":[],"c":null}'],
  ['a number of 16 digits', '{"a":9007199254740993,"b":"x","c":null}'],
  ['an exponent', '{"a":1e400,"b":"x","c":null}'],
  ['zeros in front', '{"a":01,"b":"x","c":null}'],
  ['no digits', '{"a":-,"b":"x","c":null}'],
  ['no fraction', '{"a":1.,"b":"x","c":null}'],
  ['no whole', '{"a":.1,"b":"x","c":null}'],
  ['a literal of one letter too few', '{"a":1,"b":"x","c":nul}'],
  ['a literal of one letter too many', '{"a":1,"b":"x","c":nulll}'],
  ['no end', '{"a":1,"b":"x","c":null'],
  ['no end of a string', '{"a":1,"b":"x'],
  ['something behind', '{"a":1,"b":"x","c":null}{}'],
  ['a comma behind', '{"a":1,"b":"x","c":null,}'],
  ['a comma too many', '{"a":1,,"b":"x","c":null}'],
  ['no comma', '{"a":1"b":"x","c":null}'],
  ['a blank that JSON does not know', '{"a":1,\u00a0"b":"x","c":null}'],
  ['nothing', ''],
])('says nothing of %s', (_what, text) => {
  expect(reader(EXAMPLE).read(text)).toBeUndefined()
})

test('nothing is learned of what is not flat, or has no keys', () => {
  for (const text of ['{}', '[]', '1', 'null', '"a"', '{"a":{}}', '{"a":[1]}'])
    expect(reader(text).read(text)).toBeUndefined()
})

test('it remembers some orders of keys, and no more', () => {
  const texts = ['a', 'b', 'c', 'd', 'e'].map((key) => `{"${key}":1}`)
  const flat = reader(...texts)
  expect(texts.map((text) => flat.read(text) !== undefined)).toEqual([true, true, true, true, false])
})

test('keys are whatever they are', () => {
  const text = '{"\u2028":1,"a b":2,"\'":3,"toString":4,"9":5}'
  expect(reader(text.replace(/,"9":5/, '')).read(text.replace(/,"9":5/, ''))).toStrictEqual(
    JSON.parse(text.replace(/,"9":5/, '')),
  )
})
