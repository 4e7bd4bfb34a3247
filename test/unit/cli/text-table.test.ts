import { textTable } from '#shared/cli/text-table.ts'

test('numbers to the right, text to the left, null as a dash', () => {
  const table = textTable(
    ['name', 'n', 'at'],
    [
      ['a', 1, null],
      ['bcdef', 22, 'x'],
      [null, '1,234.5', ''],
    ],
  )
  expect(table.split('\n')).toEqual([
    'name         n  at',
    '─────  ───────  ──',
    'a            1  –',
    'bcdef       22  x',
    '–      1,234.5',
  ])
})

test('a value neither breaks the table nor steers the terminal', () => {
  const [, , row] = textTable(['v'], [['a\nb\u001b[31m\u009b']]).split('\n')
  expect(row).toBe('a\\x0ab\\x1b[31m\\x9b')
})

test('nested values are JSON, no rows are a head', () => {
  expect(textTable(['v'], [[{ a: [1, true] }]])).toContain('{"a":[1,true]}')
  expect(textTable(['v', 'w'], [])).toBe('v  w\n─  ─')
})
