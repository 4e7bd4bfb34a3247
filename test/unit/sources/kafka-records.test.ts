import { readRecords } from '#shared/sources/kafka-records.ts'

type Answer = Parameters<typeof readRecords>[1]
type Batch = NonNullable<Answer['records']>[number]

const TRANSACTIONAL = 1 << 4
const CONTROL = 1 << 5
const LOG_APPEND_TIME = 1 << 3

/** A batch of records at these offsets, the first of which is where it begins. */
function batch(offsets: readonly number[], changes: Partial<Batch> = {}): Batch {
  const [first = 0] = offsets
  return {
    firstOffset: BigInt(first),
    length: 0,
    partitionLeaderEpoch: 0,
    magic: 2,
    crc: 0,
    attributes: 0,
    lastOffsetDelta: (offsets.at(-1) ?? first) - first,
    firstTimestamp: 1000n,
    maxTimestamp: 9000n,
    producerId: -1n,
    producerEpoch: 0,
    firstSequence: 0,
    records: offsets.map((offset) => ({
      length: 0,
      attributes: 0,
      timestampDelta: BigInt(offset),
      offsetDelta: offset - first,
      key: null,
      value: Buffer.from(String(offset)),
      headers: [],
    })),
    ...changes,
  }
}

const marker = (offset: number, producerId: bigint, type: 0 | 1): Batch => {
  const [record] = batch([offset]).records
  const key = Buffer.from([0, 0, 0, type])
  return batch([offset], { attributes: TRANSACTIONAL | CONTROL, producerId, records: [{ ...record, key } as never] })
}
const aborted = (producerId: bigint, firstOffset: number) => ({ producerId, firstOffset: BigInt(firstOffset) })

function read(batches: readonly Batch[], from = 0, abortedTransactions: Answer['abortedTransactions'] = null) {
  const answer = {
    partitionIndex: 3,
    errorCode: 0,
    highWatermark: 100n,
    lastStableOffset: 100n,
    logStartOffset: 0n,
    abortedTransactions,
    preferredReadReplica: -1,
    records: [...batches],
  }
  const { records, next } = readRecords('flights', answer, from)
  return { offsets: records.map(({ offset }) => offset), next, records }
}

test('a batch may begin before what was asked for, and have holes', () => {
  expect(read([batch([4, 5, 8]), batch([9])], 5)).toMatchObject({ offsets: [5, 8, 9], next: 10 })
})

test('an empty answer goes on where it was asked', () => {
  expect(read([], 7)).toMatchObject({ offsets: [], next: 7 })
})

test('what compaction has emptied is passed over', () => {
  expect(read([batch([4], { records: [], lastOffsetDelta: 20 })], 4)).toMatchObject({ offsets: [], next: 25 })
})

test('a record is what it was when it was sent', () => {
  const [record] = batch([6]).records
  const headers = [
    [Buffer.from('hé'), Buffer.from([255])],
    [Buffer.from('hé'), null],
  ]
  const whole = { ...record, key: Buffer.from('k'), value: null, headers }
  expect(read([batch([6], { records: [whole as never] })]).records).toEqual([
    {
      topic: 'flights',
      partition: 3,
      offset: 6,
      timestamp: 1006,
      timestampType: 'CREATE_TIME',
      key: Buffer.from('k'),
      value: null,
      headers: [
        { name: 'hé', value: Buffer.from([255]) },
        { name: 'hé', value: new Uint8Array() },
      ],
    },
  ])
})

test("where the broker's time counts, all records of a batch have it", () => {
  const [record] = read([batch([6], { attributes: LOG_APPEND_TIME })]).records
  expect(record).toMatchObject({ timestamp: 9000, timestampType: 'LOG_APPEND_TIME' })
})

test('of transactions, what was committed is there, and neither what was aborted nor a marker', () => {
  const [A, B] = [1n, 2n]
  const batches = [
    batch([0, 1], { attributes: TRANSACTIONAL, producerId: A }),
    batch([2], { attributes: TRANSACTIONAL, producerId: B }),
    batch([3]),
    marker(4, A, 0),
    batch([5], { attributes: TRANSACTIONAL, producerId: A }),
    marker(6, A, 1),
    marker(7, B, 1),
    batch([8], { attributes: TRANSACTIONAL, producerId: A }),
    marker(9, A, 0),
  ]
  // In any order, and with another of the same producer behind.
  expect(read(batches, 0, [aborted(A, 8), aborted(A, 0)])).toMatchObject({ offsets: [2, 3, 5], next: 10 })
})

test('a transaction whose marker is in a later answer is aborted all the same', () => {
  expect(read([batch([5, 6], { attributes: TRANSACTIONAL, producerId: 1n })], 5, [aborted(1n, 2)])).toMatchObject({
    offsets: [],
    next: 7,
  })
})

test('records outside of transactions are never aborted, whoever has sent them', () => {
  expect(read([batch([5], { producerId: 1n })], 5, [aborted(1n, 2)])).toMatchObject({ offsets: [5] })
})
