import { defineTopicSettings, type TopicSettingsOptions } from '#shared/pipeline/topic-settings.ts'
import { type DeclaredTopic, planTopics, type TopicState } from '#shared/sources/topics.ts'

const STATE: TopicState = {
  partitions: 4,
  replication: 3,
  configs: { 'retention.ms': '604800000', 'max.message.bytes': '1048588', 'cleanup.policy': 'compact,delete' },
}

const declared = (name: string, options: TopicSettingsOptions = {}, topic = 'clicks'): DeclaredTopic => ({
  name,
  topic,
  topicSettings: defineTopicSettings(options),
})

/** The plan of one topic that one pipeline declares. */
function planned(options: TopicSettingsOptions, state: TopicState | null = STATE) {
  const [plan] = planTopics([declared('web', options)], new Map(state === null ? [] : [['clicks', state]]))
  return plan
}

test('a topic that is not there is created with what is declared, and the rest is left to the cluster', () => {
  expect(planned({ partitions: 8, retention: 'forever', cleanup: 'compact' }, null)).toEqual({
    topic: 'clicks',
    pipelines: ['web'],
    changes: [
      {
        kind: 'create',
        partitions: 8,
        replication: null,
        configs: { 'retention.ms': '-1', 'cleanup.policy': 'compact' },
        text: 'create it with 8 partitions, retention.ms=-1, cleanup.policy=compact',
      },
    ],
    refused: null,
  })
  expect(planned({}, null)?.changes).toMatchObject([{ partitions: null, replication: null, configs: {} }])
})

test.each<TopicSettingsOptions>([
  {},
  { partitions: 4 },
  { partitions: 4, replication: 3, retention: '7 days', maxMessageBytes: 1_048_588, cleanup: 'compact,delete' },
])('%j is what it is: nothing to do', (options) => {
  expect(planned(options)).toMatchObject({ changes: [], refused: null })
})

test('policies that a broker lists in another order are the same', () => {
  const state = { ...STATE, configs: { ...STATE.configs, 'cleanup.policy': 'delete,compact' } }
  expect(planned({ cleanup: 'compact,delete' }, state)?.changes).toEqual([])
})

test('partitions are added, and what that does to the order of keys is said', () => {
  expect(planned({ partitions: 6 })).toMatchObject({
    changes: [
      { kind: 'partitions', partitions: 6, text: expect.stringMatching(/^add 2 to its 4.*in no order$/) as unknown },
    ],
    refused: null,
  })
})

test('only the settings that differ are changed', () => {
  expect(planned({ retention: '1 days', maxMessageBytes: 1_048_588 })?.changes).toEqual([
    {
      kind: 'configs',
      configs: { 'retention.ms': '86400000' },
      text: 'change retention.ms from 604800000 to 86400000',
    },
  ])
})

test.each<[TopicSettingsOptions, RegExp]>([
  [{ partitions: 3, retention: '1 days' }, /it has 4 partitions and 3 are declared: Kafka can add partitions, never/],
  [{ replication: 2, partitions: 8 }, /its replication is 3 and 2 is declared/],
])('%j is refused, and nothing else is done to the topic', (options, refused) => {
  expect(planned(options)).toMatchObject({ changes: [], refused: expect.stringMatching(refused) as unknown })
})

test('pipelines of one topic say together what it is like', () => {
  const owners = [declared('web', { partitions: 8 }), declared('ads', { retention: '1 days' }), declared('more')]
  expect(planTopics(owners, new Map())).toMatchObject([
    { pipelines: ['web', 'ads', 'more'], changes: [{ partitions: 8, configs: { 'retention.ms': '86400000' } }] },
  ])
})

test('pipelines that do not agree are refused, with both their names, and others are not', () => {
  const owners = [declared('web', { partitions: 8 }), declared('x', {}, 'other'), declared('ads', { partitions: 4 })]
  expect(planTopics(owners, new Map([['clicks', STATE]]))).toMatchObject([
    {
      topic: 'clicks',
      changes: [],
      refused: expect.stringMatching(
        /^the pipelines web and ads .*partitions is 8 for one and 4 for the other$/,
      ) as unknown,
    },
    { topic: 'other', changes: [{ kind: 'create' }], refused: null },
  ])
})
