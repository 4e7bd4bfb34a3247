import fc from 'fast-check'
import { defineTopicSettings } from '#shared/pipeline/topic-settings.ts'
import { applyTopics } from '#shared/sources/topic-changes.ts'
import { type DeclaredTopic, planTopics, type TopicState } from '#shared/sources/topics.ts'
import { MemoryTopics } from '#test/helpers/memory-topics.ts'

const OPTIONS = fc.record(
  {
    partitions: fc.integer({ min: 1, max: 4 }),
    replication: fc.constantFrom(2, 3),
    retention: fc.constantFrom('1 days', '7 days', 'forever'),
    maxMessageBytes: fc.constantFrom(1_048_588, 2_000_000),
    cleanup: fc.constantFrom('delete', 'compact', 'compact,delete'),
  },
  { requiredKeys: [] },
)

const DECLARED: fc.Arbitrary<readonly DeclaredTopic[]> = fc
  .array(fc.tuple(fc.constantFrom('a', 'b'), OPTIONS), { minLength: 1, maxLength: 4 })
  .map((owners) =>
    owners.map(([topic, options], i) => ({ name: `p${i}`, topic, topicSettings: defineTopicSettings(options) })),
  )

const STATES = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.record({
    partitions: fc.integer({ min: 1, max: 4 }),
    replication: fc.constantFrom(2, 3),
    configs: fc.record({
      'retention.ms': fc.constantFrom('604800000', '-1'),
      'max.message.bytes': fc.constantFrom('1048588'),
      'cleanup.policy': fc.constantFrom('delete', 'delete,compact'),
    }),
  }),
)

const copyOf = (states: Readonly<Record<string, TopicState>>, lag: number): MemoryTopics => {
  const kafka = new MemoryTopics(lag)
  for (const [topic, state] of Object.entries(states)) kafka.states.set(topic, state)
  return kafka
}

test('what was applied leaves nothing to plan; what is refused leaves every topic as it was; none ever shrinks', async () => {
  await fc.assert(
    fc.asyncProperty(DECLARED, STATES, async (declared, states) => {
      const kafka = copyOf(states, 0)
      const applied = await applyTopics(kafka, declared, { now: () => 0, withinMs: 10_000 })
      const isRefused = applied.some(({ refused }) => refused !== null)
      const left = planTopics(declared, kafka.states)
      expect(left.every(({ changes }) => isRefused || changes.length === 0)).toBe(true)
      expect(isRefused ? Object.fromEntries(kafka.states) : {}).toEqual(isRefused ? { ...states } : {})
      for (const [topic, { partitions }] of Object.entries(states)) {
        expect(kafka.states.get(topic)?.partitions).toBeGreaterThanOrEqual(partitions)
      }
      expect(kafka.states.get('c')).toBe(states['c'])
    }),
    { numRuns: 40 },
  )
})

test('a pipeline gets what it declares, or the plan is refused', () => {
  fc.assert(
    fc.property(DECLARED, STATES, (declared, states) => {
      for (const plan of planTopics(declared, new Map(Object.entries(states)))) {
        const create = plan.changes.find((change) => change.kind === 'create')
        const wishes = declared.filter(({ topic }) => topic === plan.topic).map(({ topicSettings }) => topicSettings)
        for (const { partitions } of wishes) {
          if (plan.refused !== null || partitions === null) continue
          const grown = plan.changes.find((change) => change.kind === 'partitions')
          expect(create?.partitions ?? grown?.partitions ?? states[plan.topic]?.partitions).toBe(partitions)
        }
      }
    }),
  )
})
