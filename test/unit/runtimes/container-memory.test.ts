import { LEAST_SPILL_BYTES, toSpill } from '#shared/runtimes/container-memory.ts'

const held = (...kilobytes: readonly number[]) => kilobytes.map((each) => ({ memory: each * 1024 }))

test('the largest are spilled first, and no more than needed', () => {
  expect(toSpill(held(100, 900, 50, 400), 1000 * 1024)).toEqual(held(900, 400))
})

test('nothing is spilled without need', () => {
  expect(toSpill(held(100, 900), 0)).toEqual([])
})

test('what is too little for a row group is not spilled, however much is needed', () => {
  const least = LEAST_SPILL_BYTES / 1024
  expect(toSpill(held(least, least - 1, 1), Number.POSITIVE_INFINITY)).toEqual(held(least))
})
