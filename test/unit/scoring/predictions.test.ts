import { predictionsOf } from '#shared/scoring/predictions.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'

const [one] = scoredSensors({ contentType: 'application/json' }).scores
const [csv] = scoredSensors().scores
const [two] = scoredSensors({ into: { risk: 0, grade: 1 } }).scores
const bytes = (text: string, contentType = 'text/csv') => ({ body: Buffer.from(text), contentType })

test('a prediction for each row, or none at all', () => {
  expect(predictionsOf(one as never, bytes('[1,2,3]'), 3)).toEqual([1, 2, 3])
  expect(() => predictionsOf(one as never, bytes('[1,2]'), 3)).toThrow('2 predictions for 3 rows')
  expect(() => predictionsOf(one as never, bytes('[1,2,3,4]'), 3)).toThrow('4 predictions for 3 rows')
  expect(() => predictionsOf(csv as never, bytes(''), 1)).toThrow('0 predictions for 1 rows')
  expect(() => predictionsOf(one as never, bytes('<html>'), 3)).toThrow('the answer cannot be read as application/json')
})

test('a page of HTML is no prediction, though it be one line for one row', () => {
  const page = bytes('<html></html>', 'text/html; charset=utf-8')
  expect(() => predictionsOf(csv as never, page, 1)).toThrow('the answer is a page of HTML')
})

test('one line of CSV may be all of them, where a prediction is one value', () => {
  expect(predictionsOf(csv as never, bytes('0.1,0.2,0.3'), 3)).toMatchObject([
    { text: '0.1' },
    { text: '0.2' },
    { text: '0.3' },
  ])
  expect(() => predictionsOf(csv as never, bytes('0.1,0.2'), 3)).toThrow('2 predictions for 3 rows')
  expect(() => predictionsOf(two as never, bytes('0.1,late'), 2)).toThrow('1 predictions for 2 rows')
  expect(predictionsOf(two as never, bytes('0.1,late'), 1)).toHaveLength(1)
})
