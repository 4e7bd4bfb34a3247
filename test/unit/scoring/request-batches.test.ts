import fc from 'fast-check'
import { bodyOf, halves, requestBatches } from '#shared/scoring/request-batches.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'

const scoreOf = (batch: object, more: object = {}) => {
  const [score] = scoredSensors({ batch, ...more }).scores
  if (score === undefined) throw new Error('no score')
  return score
}

test('every row is in one request, in order, within the limits of rows and bytes', () => {
  const texts = fc.array(fc.string({ maxLength: 900, unit: 'grapheme' }), { maxLength: 60 })
  fc.assert(
    fc.property(
      texts,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1000, max: 3000 }),
      (features, rows, bytes) => {
        const score = scoreOf({ rows, bytes })
        const invalid: number[] = []
        const batches = requestBatches(
          score,
          features.map((text) => [text]),
          (index) => invalid.push(index),
        )
        const all = batches.flat().map(({ index }) => index)
        expect([...all, ...invalid].sort((a, b) => a - b)).toEqual(features.map((_, i) => i))
        expect(all).toEqual([...all].sort((a, b) => a - b))
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(rows)
          expect(Buffer.byteLength(bodyOf(batch, score))).toBeLessThanOrEqual(bytes)
        }
        for (const [i, batch] of batches.slice(1).entries()) {
          // No request is begun while the one before has room.
          const before = batches[i] ?? []
          const isFull =
            before.length === rows || Buffer.byteLength(bodyOf([...before, batch[0] as never], score)) + 70 > bytes
          expect(isFull).toBe(true)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('a row that cannot be encoded, or fits no request, is told and left out', () => {
  const invalid: number[] = []
  const features = [[1], [Number.NaN], ['x'.repeat(2000)], [2]]
  const batches = requestBatches(scoreOf({ bytes: 1000 }), features, (index) => invalid.push(index))
  expect(batches).toEqual([
    [
      { index: 0, body: '1' },
      { index: 3, body: '2' },
    ],
  ])
  expect(invalid).toEqual([1, 2])
})

test('halves are all of it', () => {
  const rows = [0, 1, 2, 3, 4].map((index) => ({ index, body: '' }))
  expect(halves(rows).flat()).toEqual(rows)
  expect(halves(rows.slice(0, 2))).toEqual([[rows[0]], [rows[1]]])
})
