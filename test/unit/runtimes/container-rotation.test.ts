import { rotationTime } from '#shared/runtimes/container-rotation.ts'

const LIMITS = { fileBytes: 1000, rows: 50, ageMs: 60_000 }
const SLICE = { largestFile: 999, rows: 49, openedAt: 5000 }

test('a slice lands when it is old enough', () => {
  expect(rotationTime(SLICE, LIMITS)).toBe(65_000)
})

test.each([{ largestFile: 1000 }, { rows: 50 }])('or at once when a size of it is reached: %o', (size) => {
  expect(rotationTime({ ...SLICE, ...size }, LIMITS)).toBeLessThan(0)
})
