import type { Trigger } from '#shared/pipeline/trigger.ts'
import type { Invocation } from '#shared/trigger/batch.ts'
import type { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { shown, Topic, triggerOf } from '#test/helpers/trigger-topic.ts'

const PROVISIONED = { mode: 'provisioned', pollers: { minimum: 1, maximum: 10 } } as const

/** The one invocation that is due. */
function only(invocations: readonly Invocation[]): Invocation {
  const [first, ...others] = invocations
  if (first === undefined || others.length > 0)
    throw new Error(`expected one invocation, found ${invocations.map(shown).join(' | ')}`)
  return first
}

const failures = (...items: readonly [partition: number, offset: number][]) => ({
  batchItemFailures: items.map(([partition, offset]) => ({
    itemIdentifier: { partition: `flights-${partition}`, offset },
  })),
})

const discards = (mapping: EventSourceMapping): string[] =>
  mapping.takeDiscarded().map((discarded) => `${shown(discarded)} ${discarded.condition} ${discarded.invocations}`)

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

describe('an on-demand poller', () => {
  test('has one invocation at a time, whole batches, and no limit of retries', () => {
    const topic = new Topic(2, 2)
    const mapping = topic.mapping(triggerOf({ batchSize: 3 }), { backoff: () => 100 })
    let invocation = only(topic.due(mapping, 0))
    expect(topic.due(mapping, 50)).toEqual([])
    for (let attempt = 2; attempt < 50; attempt++) {
      mapping.failed(invocation, 'error', attempt * 1000)
      expect(mapping.dueAt(attempt * 1000)).toBe(attempt * 1000 + 100)
      expect(topic.due(mapping, attempt * 1000 + 99)).toEqual([])
      invocation = only(topic.due(mapping, attempt * 1000 + 100))
      expect([shown(invocation), invocation.attempt]).toEqual(['0@0…1 1@0', attempt])
    }
    expect([mapping.committed(0), mapping.committed(1)]).toEqual([0, 0])
    mapping.answered(invocation, failures([0, 0]), 90_000)
    expect([mapping.committed(0), mapping.committed(1)]).toEqual([2, 1])
    expect(mapping.takeDiscarded()).toEqual([])
  })

  test('goes on with other partitions while a failed batch waits for its next attempt', () => {
    const topic = new Topic(3, 0)
    const mapping = topic.mapping(triggerOf({ batchSize: 2 }), { backoff: () => 1000 })
    mapping.failed(only(topic.due(mapping, 0)), 'timeout', 10)
    topic.append(1, 1)
    const other = only(topic.due(mapping, 20))
    expect(shown(other)).toBe('1@0')
    // The batch is due again, but the poller is busy.
    expect(topic.due(mapping, 1010)).toEqual([])
    mapping.answered(other, undefined, 1500)
    expect(shown(only(topic.due(mapping, 1500)))).toBe('0@0…1')
  })

  test('with a failure destination gives up after 10 retries', () => {
    const topic = new Topic(1, 1)
    const mapping = topic.mapping(triggerOf({ failureDestination: 's3://failed' }), { backoff: () => 0 })
    for (let retry = 0; retry <= 10; retry++) {
      expect(mapping.takeDiscarded()).toEqual([])
      mapping.failed(only(topic.due(mapping, retry)), 'error', retry)
    }
    expect(mapping.takeDiscarded()).toMatchObject([{ condition: 'RetryAttemptsExhausted', invocations: 11, at: 10 }])
    expect([mapping.isIdle, mapping.committed(0), mapping.committed(1)]).toEqual([true, 1, 1])
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

test('pollers share the partitions, each with its own invocation', () => {
  const topic = new Topic(1, 1, 1, 1, 1)
  const mapping = topic.mapping(triggerOf(), { pollers: 2 })
  expect(topic.due(mapping, 0).map((each) => [each.poller, shown(each)])).toEqual([
    [0, '0@0 2@0 4@0'],
    [1, '1@0 3@0'],
  ])
})

describe('provisioned pollers', () => {
  test('have up to five invocations, never two of a partition', () => {
    const topic = new Topic(...Array.from({ length: 7 }, () => 2))
    const mapping = topic.mapping(triggerOf({ ...PROVISIONED, batchSize: 1 }))
    const begun = topic.due(mapping, 0)
    expect(begun.map(shown)).toEqual(['0@0', '1@0', '2@0', '3@0', '4@0'])
    mapping.answered(begun[3] as Invocation, null, 1)
    expect(shown(only(topic.due(mapping, 1)))).toBe('5@0')
  })

  test('are never fewer than declared, nor more than declared or than partitions', () => {
    const topic = new Topic(1, 1, 1)
    const poller = (mapping: EventSourceMapping) => [0, 1, 2].map((partition) => mapping.pollerOf(partition))
    const mapping = topic.mapping(triggerOf({ ...PROVISIONED, pollers: { minimum: 2, maximum: 2 } }))
    expect(poller(mapping)).toEqual([0, 1, 0])
    mapping.scale(3)
    expect(poller(mapping)).toEqual([0, 1, 0])
    expect(poller(topic.mapping(triggerOf(PROVISIONED), { pollers: 9 }))).toEqual([0, 1, 2])
  })
})

describe('retries', () => {
  function failing(settings: Partial<Trigger>, topic = new Topic(2)) {
    const mapping = topic.mapping(triggerOf({ ...PROVISIONED, ...settings }))
    return { topic, mapping, invocation: only(topic.due(mapping, 0)) }
  }

  test('end at the declared number, also with a failure destination', () => {
    const { topic, mapping, invocation } = failing({ maximumRetryAttempts: 1, failureDestination: 's3://failed' })
    mapping.failed(invocation, 'error', 0)
    expect(discards(mapping)).toEqual([])
    mapping.failed(only(topic.due(mapping, 60_000)), 'timeout', 60_000)
    expect(discards(mapping)).toEqual(['0@0…1 RetryAttemptsExhausted 2'])
    expect(mapping.isIdle).toBe(true)
  })

  test('none: the first failure is the last', () => {
    const { mapping, invocation } = failing({ maximumRetryAttempts: 0 })
    mapping.failed(invocation, 'error', 0)
    expect(discards(mapping)).toEqual(['0@0…1 RetryAttemptsExhausted 1'])
  })

  test('come after 1, 2, 4 … seconds, and at most a minute', () => {
    const { topic, mapping, invocation } = failing({})
    let [failed, now] = [invocation, 0]
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      mapping.failed(failed, 'error', now)
      const at = mapping.dueAt(now) ?? Number.NaN
      waits.push((at - now) / 1000)
      now = at
      failed = only(topic.due(mapping, now))
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  test('are not used up when the function was not reached', () => {
    const { topic, mapping, invocation } = failing({ maximumRetryAttempts: 0, bisectBatchOnError: true })
    mapping.failed(invocation, 'throttled', 0)
    const again = only(topic.due(mapping, 1000))
    expect([shown(again), again.attempt]).toEqual(['0@0…1', 2])
    expect(discards(mapping)).toEqual([])
  })

  test('end for records that are older than the greatest age, while they wait or before they are first delivered', () => {
    const topic = new Topic(0, 0)
    topic.append(0, 1, { timestamp: 10_000 })
    topic.append(0, 1, { timestamp: 30_000 })
    const mapping = topic.mapping(triggerOf({ ...PROVISIONED, maximumRecordAgeSeconds: 60 }), {
      backoff: () => 1_000_000,
    })
    mapping.failed(only(topic.due(mapping, 0)), 'error', 20_000)
    expect(mapping.dueAt(20_000)).toBe(70_001)
    expect(topic.due(mapping, 70_000)).toEqual([])
    expect(discards(mapping)).toEqual([])
    topic.due(mapping, 70_001)
    expect(discards(mapping)).toEqual(['0@0 RecordAgeExceeded 1'])
    expect([mapping.committed(0), mapping.dueAt(70_001)]).toEqual([1, 90_001])

    topic.append(1, 1, { timestamp: 0 })
    expect(topic.due(mapping, 75_000)).toEqual([])
    expect([discards(mapping), mapping.committed(1)]).toEqual([['1@0 RecordAgeExceeded 0'], 1])
    topic.append(1, 1, { timestamp: 10_000 })
    topic.append(1, 1, { timestamp: 70_000 })
    expect(shown(only(topic.due(mapping, 80_000)))).toBe('1@2')
    expect(discards(mapping)).toEqual(['1@1 RecordAgeExceeded 0'])
  })
})

describe('a split batch', () => {
  const settings = { ...PROVISIONED, bisectBatchOnError: true, maximumRetryAttempts: 1 }

  /** Delivers until nothing is due, failing what holds an offset. @returns the deliveries, in order */
  function deliver(topic: Topic, mapping: EventSourceMapping, poison: string): string[] {
    const delivered: string[] = []
    for (let now = 0; now < 1_000_000; now = mapping.dueAt(now) ?? 1_000_000) {
      for (const invocation of topic.due(mapping, now)) {
        delivered.push(shown(invocation))
        const isPoisoned = invocation.partitions.some(({ records }) =>
          records.some(({ partition, offset }) => `${partition}@${offset}` === poison),
        )
        if (isPoisoned) mapping.failed(invocation, 'error', now)
        else mapping.answered(invocation, undefined, now)
      }
    }
    return delivered
  }

  test('is delivered as halves, down to the record at fault, which alone uses up retries', () => {
    const topic = new Topic(8)
    const mapping = topic.mapping(triggerOf({ ...settings, batchSize: 8 }), { backoff: () => 10 })
    expect(deliver(topic, mapping, '0@5')).toEqual(['0@0…7', '0@0…3', '0@4…7', '0@4…5', '0@4', '0@5', '0@5', '0@6…7'])
    expect(discards(mapping)).toEqual(['0@5 RetryAttemptsExhausted 5'])
    expect(mapping.committed(0)).toBe(8)
  })

  test('or second half first', () => {
    const topic = new Topic(4)
    const mapping = topic.mapping(triggerOf(settings), { backoff: () => 10, secondHalfFirst: () => true })
    expect(deliver(topic, mapping, '0@0')).toEqual(['0@0…3', '0@2…3', '0@0…1', '0@1', '0@0', '0@0'])
    expect(mapping.committed(0)).toBe(4)
  })

  test('commits no further than to the first record that is not settled', () => {
    const topic = new Topic(4)
    const mapping = topic.mapping(triggerOf(settings), { backoff: () => 10, secondHalfFirst: () => true })
    mapping.failed(only(topic.due(mapping, 0)), 'error', 0)
    const second = only(topic.due(mapping, 10))
    mapping.answered(second, undefined, 10)
    expect([shown(second), mapping.committed(0)]).toEqual(['0@2…3', 0])
    mapping.handOver(0)
    expect(shown(only(topic.due(mapping, 20)))).toBe('0@0…3')
  })

  test('has the retries left that the batch had', () => {
    const topic = new Topic(2)
    const mapping = topic.mapping(triggerOf({ ...settings, partialResponses: true }), { backoff: () => 10 })
    mapping.answered(only(topic.due(mapping, 0)), 'nonsense', 0)
    mapping.failed(only(topic.due(mapping, 10)), 'error', 10)
    mapping.failed(only(topic.due(mapping, 20)), 'error', 20)
    expect(discards(mapping)).toEqual(['0@0 RetryAttemptsExhausted 3'])
  })

  test('frees partitions of which it holds nothing', () => {
    const topic = new Topic(2, 2)
    const mapping = topic.mapping(triggerOf({ ...settings, maximumRetryAttempts: null }), { backoff: () => 10 })
    mapping.failed(only(topic.due(mapping, 0)), 'timeout', 0)
    const [first, second] = topic.due(mapping, 10) as [Invocation, Invocation]
    expect([shown(first), shown(second)]).toEqual(['0@0…1', '1@0…1'])
    mapping.answered(second, undefined, 20)
    topic.append(1, 1)
    topic.append(0, 1)
    expect(shown(only(topic.due(mapping, 20)))).toBe('1@2')
  })
})

describe('a partial answer', () => {
  function answering(partialReading: 'named' | 'resume', payload: unknown, settings: Partial<Trigger> = {}) {
    const topic = new Topic(4, 3)
    const trigger = triggerOf({ ...PROVISIONED, partialResponses: true, ...settings })
    const mapping = topic.mapping(trigger, { partialReading, backoff: () => 10 })
    mapping.answered(only(topic.due(mapping, 0)), payload, 0)
    return { topic, mapping }
  }

  test('has only the named records delivered again', () => {
    const { topic, mapping } = answering('named', failures([0, 3], [0, 1]))
    expect([mapping.committed(0), mapping.committed(1)]).toEqual([1, 3])
    topic.append(0, 1)
    topic.append(1, 1)
    expect(topic.due(mapping, 5).map(shown)).toEqual(['1@3'])
    expect(topic.due(mapping, 10).map((each) => [shown(each), each.attempt])).toEqual([['0@1,3', 2]])
  })

  test('or all from the lowest of each partition on', () => {
    const { topic, mapping } = answering('resume', failures([0, 3], [0, 1], [1, 2]))
    expect([mapping.committed(0), mapping.committed(1)]).toEqual([1, 2])
    expect(topic.due(mapping, 10).map(shown)).toEqual(['0@1…3 1@2'])
  })

  test.each([undefined, null, '', {}, { batchItemFailures: null }, failures()])('%j is success', (payload) => {
    const { mapping } = answering('named', payload)
    expect([mapping.isIdle, mapping.committed(0)]).toEqual([true, 4])
  })

  test.each<[string, unknown]>([
    ['an unknown partition', failures([2, 0])],
    ['an unknown offset', failures([0, 1], [0, 4])],
    ['an identifier that is no object', { batchItemFailures: [{ itemIdentifier: 'flights-0-1' }] }],
  ])('%s has the whole batch delivered again, unsplit', (_, payload) => {
    const { topic, mapping } = answering('named', payload, { bisectBatchOnError: true })
    expect(topic.due(mapping, 10).map(shown)).toEqual(['0@0…3 1@0…2'])
  })

  test('uses up a retry, and what is left is given up in the end', () => {
    const { topic, mapping } = answering('named', failures([0, 1]), { maximumRetryAttempts: 1 })
    mapping.answered(only(topic.due(mapping, 10)), failures([0, 1]), 10)
    expect(discards(mapping)).toEqual(['0@1 RetryAttemptsExhausted 2'])
    expect(mapping.isIdle).toBe(true)
  })

  test('is success for a trigger that does not listen', () => {
    const { mapping } = answering('named', failures([0, 1]), { partialResponses: false })
    expect(mapping.isIdle).toBe(true)
  })
})

describe('another poller', () => {
  test('delivers from the committed offset, while the old invocation lives on and counts for nothing', () => {
    const topic = new Topic(3)
    const mapping = topic.mapping(triggerOf({ batchSize: 2 }))
    const old = only(topic.due(mapping, 0))
    mapping.handOver(0)
    const again = only(topic.due(mapping, 1))
    expect([shown(old), shown(again), again.attempt]).toEqual(['0@0…1', '0@0…1', 1])
    mapping.answered(old, undefined, 2)
    mapping.failed(old, 'error', 2)
    expect([mapping.committed(0), topic.due(mapping, 2)]).toEqual([0, []])
    mapping.answered(again, undefined, 3)
    mapping.answered(again, undefined, 3)
    expect(mapping.committed(0)).toBe(2)
    expect(shown(only(topic.due(mapping, 3)))).toBe('0@2')
  })

  test('takes over one partition of a batch; the answer counts for the others', () => {
    const topic = new Topic(2, 2)
    const trigger = triggerOf({ ...PROVISIONED, partialResponses: true })
    const mapping = topic.mapping(trigger, { backoff: () => 10 })
    const old = only(topic.due(mapping, 0))
    mapping.handOver(0)
    const again = only(topic.due(mapping, 1))
    expect(shown(again)).toBe('0@0…1')
    mapping.answered(old, failures([0, 0], [1, 1]), 2)
    expect([mapping.committed(0), mapping.committed(1)]).toEqual([0, 1])
    expect(shown(only(topic.due(mapping, 12)))).toBe('1@1')
  })

  test('drops a batch that waits for its next attempt', () => {
    const topic = new Topic(2)
    const mapping = topic.mapping(triggerOf({ ...PROVISIONED, maximumRetryAttempts: 0 }))
    mapping.failed(only(topic.due(mapping, 0)), 'throttled', 0)
    mapping.handOver(0)
    expect(shown(only(topic.due(mapping, 1)))).toBe('0@0…1')
  })

  test('comes and goes: partitions that change their poller are handed over, the others are not', () => {
    const topic = new Topic(1, 1, 1)
    const mapping = topic.mapping(triggerOf())
    const old = only(topic.due(mapping, 0))
    mapping.scale(2)
    expect([0, 1, 2].map((partition) => mapping.pollerOf(partition))).toEqual([0, 1, 0])
    expect(topic.due(mapping, 1).map((each) => [each.poller, shown(each)])).toEqual([[1, '1@0']])
    mapping.answered(old, undefined, 2)
    expect([0, 1, 2].map((partition) => mapping.committed(partition))).toEqual([1, 0, 1])
    mapping.scale(1)
    expect(topic.due(mapping, 3).map((each) => [each.poller, shown(each)])).toEqual([[0, '1@0']])
  })
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
