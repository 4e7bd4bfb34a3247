import { defineTopicSettings, type TopicSettingsOptions } from '#shared/pipeline/topic-settings.ts'
import { applyTopics, planOf } from '#shared/sources/topic-changes.ts'
import type { DeclaredTopic } from '#shared/sources/topics.ts'
import { MemoryTopics } from '#test/helpers/memory-topics.ts'

const RETRIES = { now: () => 0, withinMs: 1000 }

const declared = (topic: string, options: TopicSettingsOptions = {}): DeclaredTopic => ({
  name: `of-${topic}`,
  topic,
  topicSettings: defineTopicSettings(options),
})

test('a plan touches nothing', async () => {
  const kafka = new MemoryTopics()
  const [plan] = await planOf(kafka, [declared('clicks')], RETRIES)
  expect(plan?.changes).toMatchObject([{ kind: 'create' }])
  expect(kafka.done).toEqual([])
})

test('topics are made and changed once, and the next time there is nothing to do', async () => {
  const kafka = new MemoryTopics()
  await kafka.create('views', { partitions: 2, replication: null, configs: {} })
  const owners = [declared('clicks', { partitions: 8 }), declared('views', { partitions: 4, retention: '1 days' })]
  const applied = await applyTopics(kafka, owners, RETRIES)
  expect(applied.map(({ topic, changes }) => [topic, changes.map(({ kind }) => kind)])).toEqual([
    ['clicks', ['create']],
    ['views', ['partitions', 'configs']],
  ])
  expect(kafka.done).toEqual(['create views', 'create clicks', '4 partitions for views', 'configs of views'])
  const again = await applyTopics(kafka, owners, RETRIES)
  expect(again.map(({ changes }) => changes)).toEqual([[], []])
  expect(kafka.done).toHaveLength(4)
})

test('when one topic is refused none is touched', async () => {
  const kafka = new MemoryTopics()
  await kafka.create('views', { partitions: 2, replication: null, configs: {} })
  const applied = await applyTopics(kafka, [declared('clicks'), declared('views', { partitions: 1 })], RETRIES)
  expect(applied).toMatchObject([
    { topic: 'clicks', changes: [], refused: null },
    { topic: 'views', changes: [], refused: expect.stringContaining('never take one away') as unknown },
  ])
  expect(kafka.done).toEqual(['create views'])
})

test('two at once make a topic once, and both find it as it is declared', async () => {
  const kafka = new MemoryTopics()
  const owners = [declared('clicks', { partitions: 8, retention: '1 days' })]
  const both = await Promise.all([applyTopics(kafka, owners, RETRIES), applyTopics(kafka, owners, RETRIES)])
  expect(both.map(([plan]) => plan?.refused)).toEqual([null, null])
  expect(both.flatMap(([plan]) => plan?.changes ?? [])).toHaveLength(1)
  expect(kafka.done).toEqual(['create clicks'])
})

test('a topic that somebody else makes meanwhile, with less, is brought to what is declared', async () => {
  const kafka = new MemoryTopics()
  const create = kafka.create.bind(kafka)
  kafka.create = async (topic, settings) => {
    await create(topic, { partitions: 2, replication: null, configs: {} })
    await create(topic, settings)
  }
  const [plan] = await applyTopics(kafka, [declared('clicks', { partitions: 8 })], RETRIES)
  expect(plan?.changes).toMatchObject([{ kind: 'partitions', partitions: 8 }])
  expect(kafka.states.get('clicks')?.partitions).toBe(8)
})

test('brokers that hear of changes late are asked again, and no change is made twice', async () => {
  const kafka = new MemoryTopics(2)
  const [plan] = await applyTopics(kafka, [declared('clicks', { partitions: 8 })], RETRIES)
  expect(plan?.changes.map(({ kind }) => kind)).toEqual(['create'])
  expect(kafka.done).toEqual(['create clicks'])
})

test('a cluster that never shows what was done is a failure in the end', async () => {
  const kafka = new MemoryTopics(1000)
  let time = 0
  const applying = applyTopics(kafka, [declared('clicks')], { now: () => (time += 100), withinMs: 1000 })
  await expect(applying).rejects.toMatchObject({ name: 'KafkaError', fault: 'BROKER_BUSY' })
})
