import type { Trigger } from '#shared/pipeline/trigger.ts'
import type { Invocation } from '#shared/trigger/batch.ts'
import type { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import { failures, only, PROVISIONED, shown, Topic, triggerOf } from '#test/helpers/trigger-topic.ts'

const discards = (mapping: EventSourceMapping): string[] =>
  mapping.takeDiscarded().map((discarded) => `${shown(discarded)} ${discarded.condition} ${discarded.invocations}`)

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
