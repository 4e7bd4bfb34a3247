import { rowReaderOf } from '#shared/formats/row-reader.ts'
import { UnstorableError } from '#shared/formats/unstorable.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { always, decimal, listOf, maybe, structOf } from '#test/helpers/columns.ts'

const columns = [
  always('id', 'int64'),
  maybe('day', 'date'),
  maybe('prices', listOf(always, decimal(9, 2))),
  always('who', structOf(always('name', 'string'))),
]
const good = { id: 1, day: '2013-01-01', prices: ['1.5'], who: { name: 'x' } }
const read = rowReaderOf(columns)

function refusalOf(row: Row): UnstorableError {
  try {
    read(row)
  } catch (error) {
    if (error instanceof UnstorableError) return error
    throw error
  }
  throw new Error('the row was not refused')
}

test('values come in the order of the columns, null where there is none', () => {
  expect(read(good)).toEqual([1n, 15_706, [150n], { name: 'x' }])
  expect(read({ who: { name: '' }, id: 2n, day: undefined, more: 1 })).toEqual([2n, null, null, { name: '' }])
})

test.each<[string, Row, string]>([
  ['id', { ...good, id: undefined }, 'expected a value, found none'],
  ['id', { ...good, id: 0.5 }, 'expected a whole number that is exact'],
  ['day', { ...good, day: '2013-02-30' }, 'expected a date of the calendar, as 2013-01-31'],
  ['prices', { ...good, prices: ['1', null] }, 'expected a value for "element", found none'],
  ['prices', { ...good, prices: ['1', '1.234'] }, 'expected at most 2 digits behind the point'],
  ['who', { ...good, who: null }, 'expected a value, found none'],
  ['who', { ...good, who: {} }, 'expected a value for "name", found none'],
])('the column %s is blamed for its value', (column, row, message) => {
  const { name, ...refusal } = refusalOf(row)
  expect([name, refusal.column, refusalOf(row).message]).toEqual(['UnstorableError', column, message])
})

test('of several columns the first is blamed', () => {
  expect(refusalOf({ day: 'x', prices: 'y' }).column).toBe('id')
  expect(refusalOf({ ...good, who: null, day: 'x' }).column).toBe('day')
})

test('what else goes wrong is not the fault of a column', () => {
  const row = Object.defineProperty({ ...good }, 'day', {
    get: () => {
      throw new RangeError('on its own account')
    },
  })
  expect(() => read(row)).toThrow(new RangeError('on its own account'))
})

test('names are no source text', () => {
  const names = ['"]; throw 1; //', "'", '\\', '`${1}`', '\u2028', 'a\nb', '__proto__', 'value', 'row']
  const reader = rowReaderOf(names.map((name) => always(name, 'int32')))
  const row = JSON.parse(`{${names.map((name, i) => `${JSON.stringify(name)}: ${i}`).join()}}`) as Row
  expect(reader(row)).toEqual(names.map((_, i) => i))
})

test('a reader is made once for a table', () => {
  expect(rowReaderOf(columns)).toBe(read)
  expect(rowReaderOf([...columns])).not.toBe(read)
})
