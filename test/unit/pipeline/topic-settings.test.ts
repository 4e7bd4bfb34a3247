import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { defineTopicSettings, type TopicSettingsOptions } from '#shared/pipeline/topic-settings.ts'

/** Defines what the compiler would not let through. */
const define = (options: unknown) => defineTopicSettings(options as TopicSettingsOptions)

const UNSAID = { partitions: null, replication: null, retentionMs: null, maxMessageBytes: null, cleanup: null }

test('what is not declared is the matter of the cluster', () => {
  expect(defineTopicSettings()).toEqual(UNSAID)
  expect(defineTopicSettings({ partitions: 8 })).toEqual({ ...UNSAID, partitions: 8 })
})

test('everything can be declared', () => {
  const options = { partitions: 3, replication: 2, maxMessageBytes: 2_000_000, cleanup: 'compact,delete' } as const
  expect(defineTopicSettings({ ...options, retention: '7 days' })).toEqual({ ...options, retentionMs: 604_800_000 })
})

test.each([
  ['1 minute', 60_000],
  ['90 minutes', 5_400_000],
  ['12 hours', 43_200_000],
  ['1 days', 86_400_000],
  ['forever', -1],
])('a retention of %s', (retention, retentionMs) => {
  expect(defineTopicSettings({ retention })).toEqual({ ...UNSAID, retentionMs })
})

test.each([
  [{ partition: 8 }, 'topicSettings.partition: unknown option; there are partitions, replication'],
  [{ partitions: 0 }, 'topicSettings.partitions: expected a whole number from 1 to 10000, found 0'],
  [{ partitions: null }, 'topicSettings.partitions: expected a whole number'],
  [{ replication: 1.5 }, 'topicSettings.replication: expected a whole number'],
  [{ retention: '7days' }, "topicSettings.retention: expected '90 minutes'"],
  [{ retention: '0 days' }, 'topicSettings.retention'],
  [{ retention: 7 }, 'topicSettings.retention'],
  [{ maxMessageBytes: 10 }, 'topicSettings.maxMessageBytes: expected a whole number from 1024'],
  [{ cleanup: 'delete,compact' }, 'topicSettings.cleanup: expected delete, compact, compact,delete'],
  ['flights', 'topicSettings: expected {'],
  [null, 'topicSettings: expected {'],
])('%j is refused', (options, message) => {
  expect(() => define(options)).toThrow(PipelineDefinitionError)
  expect(() => define(options)).toThrow(message)
})
