import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { kafkaOf } from '#shared/kafka-settings.ts'
import { defineTopicSettings, type TopicSettingsOptions } from '#shared/pipeline/topic-settings.ts'
import { openTopics } from '#shared/sources/kafka-topics.ts'
import { applyTopics, planOf } from '#shared/sources/topic-changes.ts'
import type { DeclaredTopic } from '#shared/sources/topics.ts'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'

const RETRIES = { now: () => performance.now(), withinMs: 30_000 }

const declared = (topic: string, options: TopicSettingsOptions = {}): DeclaredTopic => ({
  name: `of-${topic}`,
  topic,
  topicSettings: defineTopicSettings(options),
})

describe('the topics of a broker', () => {
  const directory = temporaryDirectory()
  const kafka = temporaryKafka()

  const open = () => openTopics(kafkaOf({}, kafka().brokers))

  test('a topic is made, grows and changes as it is declared, and then there is nothing to do', async () => {
    const topics = open()
    const apply = async (options: TopicSettingsOptions) => {
      const [plan] = await applyTopics(topics, [declared('clicks', options)], RETRIES)
      return plan?.changes.map(({ kind }) => kind)
    }
    const first = { partitions: 2, retention: '1 days', maxMessageBytes: 2_000_000 }
    expect(await apply(first)).toEqual(['create'])
    expect(await apply(first)).toEqual([])
    expect(await apply({ partitions: 5, retention: 'forever', cleanup: 'compact,delete' })).toEqual([
      'partitions',
      'configs',
    ])
    expect(await apply({ partitions: 5, retention: 'forever', cleanup: 'compact,delete' })).toEqual([])
    const state = (await topics.describe(['clicks', 'missing'])).get('clicks')
    expect(state).toEqual({
      partitions: 5,
      replication: 1,
      // What is no longer declared is left as it is.
      configs: { 'retention.ms': '-1', 'max.message.bytes': '2000000', 'cleanup.policy': 'compact,delete' },
    })
    expect((await topics.describe(['missing'])).size).toBe(0)
    const [fewer] = await planOf(topics, [declared('clicks', { partitions: 4 })], RETRIES)
    expect(fewer?.refused).toMatch(/it has 5 partitions and 4 are declared/)
    await topics.close()
  })

  test('many at once make a topic once, and all end well', async () => {
    const all = Array.from({ length: 6 }, open)
    const owners = [declared('crowded', { partitions: 3, retention: '2 days' })]
    const plans = (await Promise.all(all.map((topics) => applyTopics(topics, owners, RETRIES)))).flat()
    expect(plans.map(({ refused }) => refused)).toEqual(Array.from({ length: 6 }, () => null))
    expect(plans.flatMap(({ changes }) => changes.map(({ kind }) => kind))).toEqual(['create'])
    await Promise.all(all.map((topics) => topics.close()))
  })

  test('a topic that nothing is declared of is left to the cluster; one that it cannot make is an error of its own', async () => {
    const topics = open()
    await applyTopics(topics, [declared('bare')], RETRIES)
    expect((await topics.describe(['bare'])).get('bare')).toMatchObject({ partitions: 1, replication: 1 })
    await expect(applyTopics(topics, [declared('wide', { replication: 3 })], RETRIES)).rejects.toMatchObject({
      fault: 'REQUEST_REFUSED',
      message: expect.stringMatching(/cannot create the topic wide .*3 time/) as unknown,
    })
    await topics.close()
  })

  test('the commands plan and apply what the pipelines of the project declare', async () => {
    const other = path.join(directory(), 'other.ts')
    await writeFile(
      other,
      `import * as z from ${JSON.stringify(path.join(projectRoot, 'node_modules/zod/index.js'))}
import { definePipeline } from ${JSON.stringify(path.join(projectRoot, 'shared/pipeline/pipeline.ts'))}
export const other = definePipeline({ name: 'other', topic: 'flights', topicSettings: { partitions: 4 },
  event: z.object({ a: z.string() }), row: z.object({ a: z.string() }), transform: ({ value }) => value,
  lake: { table: 'other', layout: 'files' } })`,
    )
    const to = ['--kafka', kafka().brokers]
    const before = await inlet(['topics', 'plan', ...to])
    const applied = await inlet(['topics', 'apply', 'flights', '--json', ...to])
    const after = await inlet(['topics', 'plan', 'flights', ...to])
    const both = await inlet(['topics', 'apply', 'flights', other, ...to])
    expect([before.code, before.stdout]).toEqual([
      0,
      'flights (of flights):\n  would create it with 8 partitions\nNothing was touched.\n',
    ])
    expect([applied.code, JSON.parse(applied.stdout)]).toMatchObject([
      0,
      [{ topic: 'flights', pipelines: ['flights'], changes: [{ kind: 'create', partitions: 8 }], refused: null }],
    ])
    expect([after.code, after.stdout]).toEqual([0, expect.stringContaining('is as it is declared, nothing to do')])
    expect([both.code, both.stdout]).toEqual([
      1,
      expect.stringMatching(
        /refused: the pipelines flights and other .*partitions is 8 .* 4 .*\nNothing was touched\.\n/s,
      ),
    ])
  })
})
