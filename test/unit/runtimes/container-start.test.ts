import { consumerStart, type PartitionState } from '#shared/runtimes/container-start.ts'

const NEW: PartitionState = { landed: null, committed: null, earliest: 10, latest: 100, atTimestamp: 40 }

test.each([
  ['TRIM_HORIZON', 10],
  ['LATEST', 100],
  [new Date(0), 40],
] as const)('where nothing has landed the declaration says: %s', (position, offset) => {
  expect(consumerStart(position, NEW)).toEqual({ offset, missed: 0 })
})

test.each(['TRIM_HORIZON', 'LATEST', new Date(0)] as const)(
  'what has landed decides, whatever the declaration and the group say: %s',
  (position) => {
    expect(consumerStart(position, { ...NEW, landed: 55, committed: 80 })).toEqual({ offset: 56, missed: 0 })
  },
)

test('records that are deleted before they have landed are counted', () => {
  expect(consumerStart('LATEST', { ...NEW, landed: 4 })).toEqual({ offset: 10, missed: 5 })
  expect(consumerStart('LATEST', { ...NEW, landed: 9 })).toEqual({ offset: 10, missed: 0 })
})

test("only the newest and a time, which move, are kept by the group's offset", () => {
  expect(consumerStart('LATEST', { ...NEW, committed: 20 }).offset).toBe(20)
  expect(consumerStart(new Date(0), { ...NEW, committed: 20 }).offset).toBe(20)
  expect(consumerStart('TRIM_HORIZON', { ...NEW, committed: 20 }).offset).toBe(10)
})

test("a group's offset that the topic does not have any more says nothing", () => {
  expect(consumerStart('LATEST', { ...NEW, committed: 9 }).offset).toBe(100)
})

test('without a record that young, a time begins behind the newest', () => {
  expect(consumerStart(new Date(0), { ...NEW, atTimestamp: null }).offset).toBe(100)
})
