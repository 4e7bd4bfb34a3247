import { parseExact, stringifyExact } from '#shared/lake/iceberg/exact-json.ts'

test('integers keep all their digits, both ways', () => {
  const text = '{"a":3051729675574597004,"b":[-9223372036854775808,9007199254740991,9007199254740992],"c":"1"}'
  expect(parseExact(text)).toEqual({
    a: 3_051_729_675_574_597_004n,
    b: [-9_223_372_036_854_775_808n, 9_007_199_254_740_991, 9_007_199_254_740_992n],
    c: '1',
  })
  expect(stringifyExact(parseExact(text))).toBe(text)
})

test('what is no integer is the number it always is', () => {
  expect(parseExact('[1.5,1e30,-0,true,null,"9007199254740993"]')).toEqual([
    1.5,
    1e30,
    -0,
    true,
    null,
    '9007199254740993',
  ])
})

test('small bigints are integers as well', () => {
  expect(stringifyExact({ id: 7n, list: [0n, -1n] })).toBe('{"id":7,"list":[0,-1]}')
})
