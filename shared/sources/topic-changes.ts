import { KafkaError } from './kafka-faults.ts'
import { type RetryOptions, retried } from './kafka-retries.ts'
import type { KafkaTopics } from './kafka-topics.ts'
import { type DeclaredTopic, planTopics, type TopicChange, type TopicPlan } from './topics.ts'

/**
 * What `applyTopics` would do. Touches nothing.
 * @throws KafkaError
 */
export async function planOf(
  kafka: KafkaTopics,
  declared: readonly DeclaredTopic[],
  retries: RetryOptions,
): Promise<readonly TopicPlan[]> {
  const topics = [...new Set(declared.map(({ topic }) => topic))]
  return planTopics(declared, await retried(() => kafka.describe(topics), 'cannot describe topics', retries))
}

/**
 * Makes the topics of a cluster what pipelines declare, and waits until the cluster shows them so. Nothing is touched when
 * one of them cannot be made to fit. It may run twice, also at the same time: whoever is late finds the work done.
 * @returns for each topic what was done here, or why it cannot be
 * @throws KafkaError
 */
export async function applyTopics(
  kafka: KafkaTopics,
  declared: readonly DeclaredTopic[],
  retries: RetryOptions,
): Promise<readonly TopicPlan[]> {
  const plans = await planOf(kafka, declared, retries)
  if (plans.some(({ refused }) => refused !== null)) return plans.map((plan) => ({ ...plan, changes: [] }))
  const applied: TopicPlan[] = []
  for (const { topic } of plans) {
    const owners = declared.filter((each) => each.topic === topic)
    const done: TopicChange[] = []
    const cannot = `cannot make the topic ${topic} what is declared`
    const { pipelines, refused } = await retried(() => bringNearer(kafka, owners, done), cannot, retries)
    applied.push({ topic, pipelines, changes: done, refused })
  }
  return applied
}

/** @throws KafkaError BROKER_BUSY until there is nothing left to do */
async function bringNearer(
  kafka: KafkaTopics,
  owners: readonly DeclaredTopic[],
  done: TopicChange[],
): Promise<Pick<TopicPlan, 'pipelines' | 'refused'>> {
  const [plan] = planTopics(owners, await kafka.describe(owners.slice(0, 1).map(({ topic }) => topic)))
  if (plan === undefined) throw new Error('no pipeline declares a topic')
  for (const change of plan.changes) {
    try {
      await make(kafka, plan.topic, change)
      done.push(change)
    } catch (error) {
      // Somebody else was there first, or we were and the brokers that we ask do not know it yet.
      if (!(error instanceof KafkaError) || !['TOPIC_EXISTS', 'PARTITIONS_REFUSED'].includes(error.fault)) throw error
      throw new KafkaError('BROKER_BUSY', error.message)
    }
  }
  if (plan.changes.length > 0) throw new KafkaError('BROKER_BUSY', `the cluster does not show ${plan.topic} so yet`)
  return plan
}

function make(kafka: KafkaTopics, topic: string, change: TopicChange): Promise<void> {
  switch (change.kind) {
    case 'create':
      return kafka.create(topic, change)
    case 'partitions':
      return kafka.addPartitions(topic, change.partitions)
    case 'configs':
      return kafka.alterConfigs(topic, change.configs)
  }
}
