import fc from 'fast-check'
import { fingerprintOf } from '#shared/lake/fingerprint.ts'
import { SliceExtent } from '#shared/lake/slice-extent.ts'
import { rangesOf } from '#shared/pipeline/commit.ts'
import { recordsAt } from '#test/helpers/slices.ts'

test('in whatever pieces records come, their extent is that of all of them', () => {
  const offsets = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(offsets, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (list, sizes) => {
      const records = recordsAt(...list.sort((a, b) => a - b))
      const extent = new SliceExtent()
      for (let i = 0; i < records.length; ) {
        const size = sizes.next().value as number
        extent.add(records.slice(i, i + size))
        i += size
      }
      expect(extent.extent).toEqual({ covered: rangesOf(list), fingerprint: fingerprintOf(records) })
      expect(extent.last).toBe(list.at(-1))
    }),
  )
})

test('records out of order, or twice, are refused', () => {
  const extent = new SliceExtent()
  extent.add(recordsAt(4, 5))
  expect(() => extent.add(recordsAt(5))).toThrow(RangeError)
  expect(() => extent.add(recordsAt(3))).toThrow(RangeError)
})

test('of no records there is none', () => {
  expect(() => new SliceExtent().extent).toThrow(RangeError)
})
