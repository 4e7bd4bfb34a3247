import { isToRetry, readAnswer } from '#shared/trigger/batch-answer.ts'
import { recordsAt } from '#test/helpers/slices.ts'

const partitions = [
  { topic: 'a-1', partition: 0, records: recordsAt(5, 6, 9) },
  { topic: 'a-1', partition: 12, records: recordsAt(5) },
]
const item = (partition: unknown, offset: unknown) => ({ itemIdentifier: { partition, offset } })

test.each([undefined, null, '', {}, { statusCode: 200 }, { batchItemFailures: null }, { batchItemFailures: [] }])(
  '%j is success',
  (payload) => {
    expect(readAnswer(payload, partitions)).toEqual({ kind: 'success' })
  },
)

test('failed records are named by partition and offset, in any order, once or more', () => {
  const batchItemFailures = [item('a-1-0', 9), item('a-1-12', 5), item('a-1-0', 5), item('a-1-0', 9)]
  expect(readAnswer({ batchItemFailures }, partitions)).toEqual({
    kind: 'partial',
    failed: new Map([
      [0, new Set([9, 5])],
      [12, new Set([5])],
    ]),
  })
})

test.each<[string, unknown]>([
  ['text', 'ok'],
  ['a number', 1],
  ['true', true],
  ['an array', []],
  ['failures that are no array', { batchItemFailures: {} }],
  ['no item', { batchItemFailures: [null] }],
  ['no identifier', { batchItemFailures: [{}] }],
  ['an identifier of another name', { batchItemFailures: [{ itemidentifier: { partition: 'a-1-0', offset: 5 } }] }],
  ['an identifier as text', { batchItemFailures: [{ itemIdentifier: 'a-1-0-5' }] }],
  ['another topic', { batchItemFailures: [item('b-1-0', 5)] }],
  ['another partition', { batchItemFailures: [item('a-1-1', 5)] }],
  ['a partition without its topic', { batchItemFailures: [item(0, 5)] }],
  ['an offset that was not delivered', { batchItemFailures: [item('a-1-0', 5), item('a-1-0', 7)] }],
  ['an offset of another partition', { batchItemFailures: [item('a-1-12', 6)] }],
  ['an offset as text', { batchItemFailures: [item('a-1-0', '5')] }],
  ['no offset', { batchItemFailures: [item('a-1-0', undefined)] }],
])('%s cannot be understood', (_, payload) => {
  expect(readAnswer(payload, partitions)).toEqual({ kind: 'malformed' })
})

test('what is delivered again: the named records, or all from the lowest of their partition', () => {
  const failed = new Map([[0, new Set([9, 6])]])
  const records = partitions.flatMap((slice) =>
    slice.records.map((record) => ({ ...record, partition: slice.partition })),
  )
  const again = (reading: 'named' | 'resume') =>
    records.filter(isToRetry(failed, reading)).map(({ partition, offset }) => `${partition}@${offset}`)
  expect(again('named')).toEqual(['0@6', '0@9'])
  expect(again('resume')).toEqual(['0@6', '0@9'])
  const lowest = new Map([[0, new Set([5])]])
  expect(records.filter(isToRetry(lowest, 'named'))).toHaveLength(1)
  expect(records.filter(isToRetry(lowest, 'resume'))).toHaveLength(3)
})
