import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { only, PROVISIONED, shown, Topic, triggerOf } from '#test/helpers/trigger-topic.ts'

describe('batches', () => {
  test('end at the batch size and mix partitions, each in offset order', () => {
    const topic = new Topic(3, 0, 4)
    const mapping = topic.mapping(triggerOf({ batchSize: 5 }))
    const first = only(topic.due(mapping, 0))
    expect(first).toMatchObject({ attempt: 1, poller: 0 })
    expect(shown(first)).toBe('0@0…2 2@0…1')
    mapping.answered(first, undefined, 1)
    expect(shown(only(topic.due(mapping, 1)))).toBe('2@2…3')
  })

  test('take turns: a partition with a backlog does not keep the others waiting', () => {
    const topic = new Topic(100, 1, 1)
    const mapping = topic.mapping(triggerOf({ batchSize: 10 }))
    const delivered: string[] = []
    for (let now = 0; now < 4; now++) {
      const invocation = only(topic.due(mapping, now))
      delivered.push(shown(invocation))
      mapping.answered(invocation, undefined, now)
    }
    expect(delivered).toEqual(['0@0…9', '1@0 2@0 0@10…17', '0@18…27', '0@28…37'])
  })

  test('are sent when full, or when the window that the first record opened is over', () => {
    const topic = new Topic(2)
    const mapping = topic.mapping(triggerOf({ batchSize: 3, batchingWindowSeconds: 5 }))
    expect(mapping.dueAt(1000)).toBeUndefined()
    expect(topic.due(mapping, 1000)).toEqual([])
    expect(mapping.dueAt(1500)).toBe(6000)
    expect(topic.due(mapping, 5999)).toEqual([])
    expect(shown(only(topic.due(mapping, 6000)))).toBe('0@0…1')

    const other = new Topic(2).mapping(triggerOf({ batchSize: 3, batchingWindowSeconds: 5 }))
    topic.append(0, 1)
    expect(shown(only(topic.due(other, 1000)))).toBe('0@0…2')
  })

  test('the next window begins when the invocation ends, unless it has gone by without a record', () => {
    const topic = new Topic(1)
    const mapping = topic.mapping(triggerOf({ batchingWindowSeconds: 5 }))
    topic.due(mapping, 0)
    const first = only(topic.due(mapping, 5000))
    mapping.answered(first, undefined, 6000)
    topic.append(0, 1)
    expect(topic.due(mapping, 9000)).toEqual([])
    expect(mapping.dueAt(9000)).toBe(11_000)
    mapping.answered(only(topic.due(mapping, 11_000)), undefined, 12_000)
    topic.append(0, 1)
    expect(topic.due(mapping, 20_000)).toEqual([])
    expect(mapping.dueAt(20_000)).toBe(25_000)
  })

  test('the window of what a full batch has left behind begins anew', () => {
    const topic = new Topic(1, 0)
    const mapping = topic.mapping(triggerOf({ ...PROVISIONED, batchSize: 3, batchingWindowSeconds: 5 }))
    topic.due(mapping, 0)
    mapping.answered(only(topic.due(mapping, 5000)), undefined, 6000)
    topic.append(0, 1)
    topic.append(1, 3)
    expect(shown(only(topic.due(mapping, 8000)))).toBe('1@0…2')
    expect(mapping.dueAt(8000)).toBe(13_000)
  })

  test('without a window, whatever is there is sent at once', () => {
    const topic = new Topic(1)
    const mapping = topic.mapping(triggerOf())
    expect(shown(only(topic.due(mapping, 7)))).toBe('0@0')
  })

  test('a filtered record is passed over, and its offset committed', () => {
    const topic = new Topic(4)
    const filters = [{ value: ['0@1', '0@2'] }]
    const mapping = topic.mapping(triggerOf({ filters }))
    const invocation = only(topic.due(mapping, 0))
    expect(shown(invocation)).toBe('0@1…2')
    expect([mapping.filtered, mapping.committed(0)]).toEqual([2, 1])
    mapping.answered(invocation, undefined, 1)
    expect([mapping.isIdle, mapping.committed(0)]).toEqual([true, 4])
  })
})

describe('reading', () => {
  test('is bounded by two batches, and stops behind a batch that is not settled', () => {
    const topic = new Topic(1000, 1000)
    const mapping = topic.mapping(triggerOf({ batchSize: 10 }))
    expect(mapping.wanted()).toEqual([
      { partition: 0, from: 0, atMost: 10 },
      { partition: 1, from: 0, atMost: 10 },
    ])
    topic.feed(mapping)
    expect(mapping.wanted()).toEqual([])
    const invocation = only(mapping.due(0))
    expect(shown(invocation)).toBe('0@0…9')
    expect(mapping.wanted()).toEqual([{ partition: 1, from: 10, atMost: 10 }])
    mapping.answered(invocation, undefined, 1)
    expect(mapping.wanted()).toEqual([
      { partition: 0, from: 10, atMost: 5 },
      { partition: 1, from: 10, atMost: 5 },
    ])
  })

  test('is bounded by two payloads', () => {
    const topic = new Topic(0)
    topic.append(0, 20, { value: new Uint8Array(2_000_000) })
    const mapping = topic.mapping(triggerOf())
    mapping.offer({ partition: 0, from: 0, records: topic.partitions[0]?.slice(0, 4) ?? [] })
    expect(mapping.wanted()).toEqual([{ partition: 0, from: 4, atMost: 196 }])
    mapping.offer({ partition: 0, from: 4, records: topic.partitions[0]?.slice(4, 5) ?? [] })
    expect(mapping.wanted()).toEqual([])
  })

  test('goes on behind what compaction and transactions have left out', () => {
    const mapping = new Topic(0).mapping(triggerOf())
    mapping.offer({ partition: 0, from: 0, records: [kafkaRecord('a', { offset: 5 })], next: 9 })
    expect(mapping.wanted()).toMatchObject([{ from: 9 }])
    expect(mapping.committed(0)).toBe(5)
    mapping.answered(only(mapping.due(0)), undefined, 0)
    expect(mapping.committed(0)).toBe(9)
  })

  test('is not taken when it was asked for before a reset', () => {
    const topic = new Topic(10)
    const mapping = topic.mapping(triggerOf())
    mapping.reset(0, 5)
    expect(mapping.offer({ partition: 0, from: 0, records: topic.partitions[0] ?? [] })).toBe(false)
    expect(mapping.isIdle).toBe(true)
    expect(shown(only(topic.due(mapping, 0)))).toBe('0@5…9')
  })

  test('in another order than that of offsets is refused', () => {
    const mapping = new Topic(0).mapping(triggerOf())
    const records = [1, 0].map((offset) => kafkaRecord('a', { offset }))
    expect(() => mapping.offer({ partition: 0, from: 0, records })).toThrow('flights-0@0: records come in offset order')
    expect(() => mapping.offer({ partition: 7, from: 0, records })).toThrow('flights has no partition 7')
  })
})

test('an answer counts once', () => {
  const topic = new Topic(1, 0, 0)
  const mapping = topic.mapping(triggerOf())
  const first = only(topic.due(mapping, 0))
  for (let i = 0; i < 3; i++) mapping.answered(first, undefined, 1)
  topic.append(1, 1)
  expect(shown(only(topic.due(mapping, 2)))).toBe('1@0')
  topic.append(2, 1)
  expect(topic.due(mapping, 3)).toEqual([])
})

test('a consumer group that is reset is delivered from there, forwards and backwards', () => {
  const topic = new Topic(10)
  const mapping = topic.mapping(triggerOf({ batchSize: 4 }))
  const old = only(topic.due(mapping, 0))
  mapping.reset(0, 8)
  const skipped = only(topic.due(mapping, 1))
  expect([shown(skipped), mapping.committed(0)]).toEqual(['0@8…9', 8])
  mapping.answered(skipped, undefined, 2)
  mapping.reset(0, 2)
  expect([shown(only(topic.due(mapping, 3))), mapping.committed(0)]).toEqual(['0@2…5', 2])
  mapping.answered(old, undefined, 4)
  expect(mapping.committed(0)).toBe(2)
})
