import type { Invocation } from '#shared/trigger/batch.ts'
import type { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import { failures, only, PROVISIONED, shown, Topic, triggerOf } from '#test/helpers/trigger-topic.ts'

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
