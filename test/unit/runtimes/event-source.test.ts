import { type EventSource, runEventSource } from '#shared/runtimes/event-source.ts'
import type { Invocation } from '#shared/trigger/batch.ts'
import type { MappingOptions } from '#shared/trigger/event-source-mapping.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import { shown, Topic, triggerOf } from '#test/helpers/trigger-topic.ts'

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Run {
  readonly trigger?: Partial<Trigger>
  readonly options?: MappingOptions
  readonly read?: EventSource['read']
  readonly timeoutMs?: number
  readonly onDiscarded?: EventSource['onDiscarded']
}

/** Runs a topic to its end. @param answer what the function does @returns the deliveries, in the order in which they begin */
async function run(
  topic: Topic,
  answer: (invocation: Invocation) => unknown,
  { trigger, options, timeoutMs = 10_000, ...rest }: Run = {},
): Promise<string[]> {
  const delivered: string[] = []
  const mapping = topic.mapping(triggerOf(trigger), { backoff: () => 5, ...options })
  await runEventSource(mapping, {
    read: (wanted) =>
      wanted.map(({ partition, from, atMost }) => {
        const records = (topic.partitions[partition] ?? []).slice(from, from + atMost)
        return { partition, from, records }
      }),
    end: new Map(topic.partitions.map((records, partition) => [partition, records.length])),
    invoke: async (invocation) => {
      delivered.push(shown(invocation))
      return answer(invocation)
    },
    timeoutMs,
    onDiscarded: () => undefined,
    ...rest,
  })
  return delivered
}

test('a topic is delivered to its end, batch by batch', async () => {
  expect(await run(new Topic(5, 2), () => undefined, { trigger: { batchSize: 3 } })).toEqual([
    '0@0…2',
    '1@0…1 0@3',
    '0@4',
  ])
  expect(await run(new Topic(0, 0), () => undefined)).toEqual([])
})

test('records that no filter lets through are passed over, to the last', async () => {
  const filters = [{ value: ['0@1'] }]
  expect(await run(new Topic(4), () => undefined, { trigger: { filters } })).toEqual(['0@1'])
})

test('a failed batch is delivered again, and another partition meanwhile', async () => {
  let failures = 2
  const answer = async ({ partitions }: Invocation): Promise<void> => {
    if (partitions[0]?.partition === 0 && failures-- > 0) throw new Error('not now')
  }
  const trigger = { batchSize: 1 }
  expect(await run(new Topic(1, 1), answer, { trigger })).toEqual(['0@0', '1@0', '0@0', '0@0'])
})

test('what a function answers is heard: the named records come again', async () => {
  const answers = [{ batchItemFailures: [{ itemIdentifier: { partition: 'flights-0', offset: 1 } }] }]
  const trigger = { mode: 'provisioned', partialResponses: true } as const
  expect(await run(new Topic(3), () => answers.shift(), { trigger })).toEqual(['0@0…2', '0@1'])
})

test('an answer that comes too late counts for nothing', async () => {
  const waits = [60, 0]
  const answer = (): Promise<void> => later(waits.shift() ?? 0)
  expect(await run(new Topic(1), answer, { timeoutMs: 20 })).toEqual(['0@0', '0@0'])
})

test('up to five invocations of a provisioned poller run side by side', async () => {
  let [running, most] = [0, 0]
  const answer = async (): Promise<void> => {
    most = Math.max(most, ++running)
    await later(5)
    running -= 1
  }
  const trigger = { mode: 'provisioned', batchSize: 1, pollers: { minimum: 1, maximum: 1 } } as const
  expect(await run(new Topic(1, 1, 1, 1, 1, 1, 1), answer, { trigger })).toHaveLength(7)
  expect([running, most]).toEqual([0, 5])
})

test('what has to be waited for is read beside the invocations, one request at a time', async () => {
  const topic = new Topic(6)
  let [reading, requests] = [0, 0]
  const read: EventSource['read'] = async (wanted) => {
    expect(++reading).toBe(1)
    requests += 1
    await later(2)
    reading -= 1
    return wanted.map(({ partition, from }) => {
      return { partition, from, records: (topic.partitions[partition] ?? []).slice(from, from + 2) }
    })
  }
  expect(await run(topic, () => later(1), { read, trigger: { batchSize: 2 } })).toEqual(['0@0…1', '0@2…3', '0@4…5'])
  expect(requests).toBe(3)
})

test('a topic that is said to be longer than it is ends the run', async () => {
  await expect(run(new Topic(1), () => undefined, { read: () => [] })).rejects.toThrow(
    'nothing is at hand, and the end of the topic is not reached',
  )
})

test('a topic that cannot be read ends the run, after what has begun has settled', async () => {
  const topic = new Topic(1, 1)
  let [requests, settled] = [0, 0]
  const read: EventSource['read'] = async ([wanted]) => {
    if (requests++ > 0) throw new Error('no broker')
    return wanted === undefined ? [] : [{ partition: 0, from: 0, records: topic.partitions[0] ?? [] }]
  }
  const answer = async (): Promise<void> => {
    await later(20)
    settled += 1
  }
  await expect(run(topic, answer, { read })).rejects.toThrow('no broker')
  expect(settled).toBe(1)
})

describe('what is given up', () => {
  const trigger = { mode: 'provisioned', maximumRetryAttempts: 1 } as const

  test('is told with the failure that was one too many, and the rest goes on', async () => {
    const told: string[] = []
    let attempt = 0
    const answer = async ({ partitions }: Invocation): Promise<void> => {
      attempt += 1
      if (partitions[0]?.records[0]?.offset === 0) throw new Error(`attempt ${attempt}`)
    }
    const delivered = await run(new Topic(2), answer, {
      trigger: { ...trigger, batchSize: 1 },
      onDiscarded: (discarded, cause) => told.push(`${shown(discarded)} ${discarded.condition} ${cause?.message}`),
    })
    expect(delivered).toEqual(['0@0', '0@0', '0@1'])
    expect(told).toEqual(['0@0 RetryAttemptsExhausted attempt 2'])
  })

  test('has no cause when it was never delivered', async () => {
    const told: unknown[] = []
    await run(new Topic(1), () => undefined, {
      trigger: { ...trigger, maximumRecordAgeSeconds: 60 },
      onDiscarded: ({ condition }, cause) => told.push([condition, cause]),
    })
    expect(told).toEqual([['RecordAgeExceeded', undefined]])
  })

  test('ends the run when that is what its teller throws', async () => {
    const answer = (): Promise<never> => Promise.reject(new Error('not today'))
    const onDiscarded: EventSource['onDiscarded'] = (_, cause) => {
      throw cause ?? new Error('no cause')
    }
    await expect(run(new Topic(1), answer, { trigger, onDiscarded })).rejects.toThrow('not today')
  })
})
