import { fieldPath } from '#shared/pipeline/field-path.ts'

test.each<[PropertyKey[], string | null]>([
  [[], null],
  [['a'], 'a'],
  [['a', 'b'], 'a.b'],
  [['stops', 0, 'gate'], 'stops[0].gate'],
  [[0], '[0]'],
  [[0, 'a'], '[0].a'],
  [['a', 0, 1], 'a[0][1]'],
  [['größe', 'tail-number', '$ref', '_x'], 'größe.tail-number.$ref._x'],
  [['a.b', 'c'], '["a.b"].c'],
  [['a', ''], 'a[""]'],
  [['a', '0'], 'a["0"]'],
  [['a', 'say "x"\n'], 'a["say \\"x\\"\\n"]'],
  [['x'.repeat(41).concat(' ')], `["${'x'.repeat(40)}…"]`],
  [['x'.repeat(40)], 'x'.repeat(40)],
  [['a', 'x'.repeat(41)], `a["${'x'.repeat(40)}…"]`],
  [[`${'x'.repeat(39)}😀😀`], `["${'x'.repeat(39)}…"]`],
  [['\ud83d'], '["\\ud83d"]'],
])('the path %j reads %j', (path, text) => {
  expect(fieldPath(path)).toBe(text)
})
