import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { TopicSettings } from '#shared/pipeline/topic-settings.ts'
import { failureTopic } from '#shared/pipeline/trigger.ts'

/** What a pipeline says of its topic. */
export type DeclaredTopic = Pick<Pipeline, 'name' | 'topic' | 'topicSettings'>

/**
 * A topic that a trigger gives records up to, where no pipeline says more of it: they wait there for a person, and each is larger
 * than it was, for why it failed is told with it. 8 MiB is the most that MSK Serverless takes.
 */
const FAILURE_TOPIC: TopicSettings = {
  partitions: null,
  replication: null,
  retentionMs: -1,
  maxMessageBytes: 8 * 2 ** 20,
  cleanup: null,
}

/** All topics that pipelines need: those that they read, and those that their triggers give records up to. */
export function declaredTopics(pipelines: readonly Pipeline[]): readonly DeclaredTopic[] {
  const read = new Set(pipelines.map(({ topic }) => topic))
  const givenUp = pipelines.flatMap(({ name, trigger }) => {
    const topic = failureTopic(trigger)
    return topic === null || read.has(topic) ? [] : [{ name, topic, topicSettings: FAILURE_TOPIC }]
  })
  return [...pipelines, ...givenUp]
}

/** Kafka's own settings of a topic, by their names in Kafka: `retention.ms` and the like. */
export type TopicConfigs = Readonly<Record<string, string>>

/** What a topic is like in the cluster. `configs` are those in force, wherever they were set. */
export interface TopicState {
  readonly partitions: number
  readonly replication: number
  readonly configs: TopicConfigs
}

/** What a new topic is given; null is what the cluster decides. */
export interface NewTopic {
  readonly partitions: number | null
  readonly replication: number | null
  readonly configs: TopicConfigs
}

/** One step of what a topic lacks, and how to say it. */
export type TopicChange = { readonly text: string } & (
  | ({ readonly kind: 'create' } & NewTopic)
  | { readonly kind: 'partitions'; readonly partitions: number }
  | { readonly kind: 'configs'; readonly configs: TopicConfigs }
)

/** What a topic lacks of what its pipelines declare. */
export interface TopicPlan {
  readonly topic: string
  readonly pipelines: readonly string[]
  readonly changes: readonly TopicChange[]
  /** Why it cannot be made to fit; null when it can. */
  readonly refused: string | null
}

/** The settings of Kafka that a pipeline can declare. */
export const CONFIGS = {
  retentionMs: 'retention.ms',
  maxMessageBytes: 'max.message.bytes',
  cleanup: 'cleanup.policy',
} as const satisfies Partial<Record<keyof TopicSettings, string>>

/**
 * What has to be done so that a cluster's topics are as pipelines declare them. Pure.
 * @param states by topic; one that is not there is not in the cluster
 * @returns a plan for each topic that is declared, in the order of their names
 */
export function planTopics(
  declared: readonly DeclaredTopic[],
  states: ReadonlyMap<string, TopicState>,
): readonly TopicPlan[] {
  const byTopic = Map.groupBy(declared, ({ topic }) => topic)
  return [...byTopic.keys()].sort().map((topic) => {
    const owners = byTopic.get(topic) ?? []
    const plan = { topic, pipelines: owners.map(({ name }) => name) }
    const wish = agreedSettings(owners)
    if (typeof wish === 'string') return { ...plan, changes: [], refused: wish }
    const state = states.get(topic)
    if (state === undefined) return { ...plan, changes: [creation(wish)], refused: null }
    const refused = impossible(wish, state)
    return { ...plan, changes: refused === null ? changesOf(wish, state) : [], refused }
  })
}

/** What all pipelines of a topic say of it together; a text when two of them say different things. */
export function agreedSettings(owners: readonly DeclaredTopic[]): TopicSettings | string {
  const agreed: Record<string, { readonly value: string | number; readonly by: string }> = {}
  for (const { name, topicSettings } of owners) {
    for (const [setting, value] of Object.entries(topicSettings) as [keyof TopicSettings, string | number | null][]) {
      if (value === null) continue
      const first = (agreed[setting] ??= { value, by: name })
      if (first.value !== value)
        return `the pipelines ${first.by} and ${name} read it and do not agree: ${setting} is ${first.value} for one and ${value} for the other`
    }
  }
  const valueOf = (setting: keyof TopicSettings) => agreed[setting]?.value ?? null
  return {
    partitions: valueOf('partitions'),
    replication: valueOf('replication'),
    retentionMs: valueOf('retentionMs'),
    maxMessageBytes: valueOf('maxMessageBytes'),
    cleanup: valueOf('cleanup'),
  } as TopicSettings
}

function creation(wish: TopicSettings): TopicChange {
  const { partitions, replication } = wish
  const configs = configsOf(wish)
  const parts = [
    partitions === null ? "the cluster's number of partitions" : `${partitions} partitions`,
    ...(replication === null ? [] : [`replication ${replication}`]),
    ...Object.entries(configs).map(([name, value]) => `${name}=${value}`),
  ]
  return { kind: 'create', partitions, replication, configs, text: `create it with ${parts.join(', ')}` }
}

function impossible(wish: TopicSettings, state: TopicState): string | null {
  if (wish.partitions !== null && wish.partitions < state.partitions)
    return `it has ${state.partitions} partitions and ${wish.partitions} are declared: Kafka can add partitions, never take one away. Declare ${state.partitions}, or make a new topic`
  if (wish.replication !== null && wish.replication !== state.replication)
    return `its replication is ${state.replication} and ${wish.replication} is declared: that moves data between brokers, which is for the tools of the cluster. Declare ${state.replication}, or leave it out`
  return null
}

function changesOf(wish: TopicSettings, state: TopicState): readonly TopicChange[] {
  const changes: TopicChange[] = []
  if (wish.partitions !== null && wish.partitions > state.partitions) {
    const added = wish.partitions - state.partitions
    const text = `add ${added} to its ${state.partitions} partitions. Kafka moves no record: from then on most keys go to other partitions than before, and the records of a key from before and after are in no order`
    changes.push({ kind: 'partitions', partitions: wish.partitions, text })
  }
  const different = Object.entries(configsOf(wish)).filter(([name, value]) => !equals(state.configs[name], value))
  if (different.length > 0) {
    const texts = different.map(([name, value]) => `${name} from ${state.configs[name] ?? 'nothing'} to ${value}`)
    changes.push({ kind: 'configs', configs: Object.fromEntries(different), text: `change ${texts.join(', ')}` })
  }
  return changes
}

function configsOf(wish: TopicSettings): TopicConfigs {
  const configs: Record<string, string> = {}
  for (const [setting, name] of Object.entries(CONFIGS) as [keyof typeof CONFIGS, string][]) {
    const value = wish[setting]
    if (value !== null) configs[name] = String(value)
  }
  return configs
}

/** A list, as of clean-up policies, has no order. */
function equals(one: string | undefined, other: string): boolean {
  const sorted = (list: string) => list.split(',').sort().join(',')
  return one !== undefined && sorted(one) === sorted(other)
}
