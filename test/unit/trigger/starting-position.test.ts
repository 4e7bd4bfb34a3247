import { type PartitionBounds, startingOffset } from '#shared/trigger/starting-position.ts'

const bounds: PartitionBounds = { committed: null, earliest: 10, latest: 90, atTimestamp: 40 }

test('a new consumer group begins where the declaration says', () => {
  expect(startingOffset('TRIM_HORIZON', bounds)).toBe(10)
  expect(startingOffset('LATEST', bounds)).toBe(90)
  expect(startingOffset(new Date(0), bounds)).toBe(40)
})

test('a time behind the newest record is the end of the partition', () => {
  expect(startingOffset(new Date(0), { ...bounds, atTimestamp: null })).toBe(90)
})

test('a group that has committed goes on there, at 0 too', () => {
  expect(startingOffset('LATEST', { ...bounds, committed: 55 })).toBe(55)
  expect(startingOffset('LATEST', { ...bounds, committed: 0 })).toBe(0)
})
