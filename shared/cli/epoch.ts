import { beginEpoch, currentEpoch, logsOfEpoch, type SealedLog } from '#shared/lake/epochs.ts'
import { generationPrefix, type TopicId } from '#shared/lake/log-keys.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { UsageError } from './failure.ts'
import { requireLake } from './missing-lake.ts'
import { formatCount, Progress } from './progress.ts'
import { textTable } from './text-table.ts'

export interface EpochOptions {
  /** The epoch that ends. */
  readonly end: number
  readonly cluster?: string
  readonly dryRun?: boolean
}

/** The change of an epoch; in a dry run, what it would be. */
export interface EpochChange {
  readonly topic: TopicId
  readonly dryRun: boolean
  /** The epoch that begins. */
  readonly epoch: number
  readonly sealed: readonly SealedLog[]
}

/**
 * Begins the next epoch of the topic that a pipeline reads.
 * @throws UsageError when the lake does not have it, or has it of several clusters and none was named; InletError
 * EPOCH_EMPTY when the current epoch has no commits
 */
export async function changeEpoch(
  store: ObjectStore,
  pipeline: Pipeline,
  { end, cluster, dryRun = false }: EpochOptions,
): Promise<EpochChange> {
  const topic = await topicOf(store, pipeline, cluster)
  const current = await currentEpoch(store, topic)
  if (end > current)
    throw new UsageError(`epoch ${end} of the topic ${topic.topic} has not begun: the current one is ${current}`)
  const logs: SealedLog[] = []
  for await (const log of logsOfEpoch(store, topic, end)) logs.push(log)
  if (dryRun) return { topic, dryRun, epoch: end + 1, sealed: logs.sort((a, b) => a.partition - b.partition) }
  const progress = new Progress(`seal ${topic.topic}`, logs.length, 'logs')
  try {
    return { topic, dryRun, ...(await beginEpoch(store, topic, end, () => progress.advance(1))) }
  } finally {
    progress.stop()
  }
}

/** What was sealed, as a page for people. */
export function epochPage({ topic, dryRun, epoch, sealed }: EpochChange): string {
  const name = `${topic.topic} of ${topic.cluster}`
  if (sealed.every(({ lastOffset }) => lastOffset < 0))
    return `Epoch ${epoch - 1} of ${name} has no commits yet: there is nothing to end.`
  const rows = sealed.map(({ partition, lastOffset }) => [
    String(partition),
    lastOffset < 0 ? 'nothing landed' : formatCount(lastOffset),
  ])
  return [
    dryRun
      ? `Epoch ${epoch} of ${name} would begin; nothing was touched. These logs of epoch ${epoch - 1} would be sealed:`
      : `Epoch ${epoch} of ${name} has begun. These logs of epoch ${epoch - 1} are sealed:`,
    '',
    textTable(['Kafka partition', 'last offset'], rows),
  ].join('\n')
}

async function topicOf(store: ObjectStore, pipeline: Pipeline, wanted: string | undefined): Promise<TopicId> {
  const { name, generation, topic } = pipeline
  const clusters = new Set<string>()
  for await (const { id } of logsOf(store, generationPrefix({ pipeline: name, generation })))
    if (id.topic === topic) clusters.add(id.cluster)
  if (clusters.size === 0) await requireLake(store)
  const known = [...clusters].join(', ')
  const [only] = clusters
  if (only === undefined)
    throw new UsageError(`the lake holds nothing of the topic ${topic} by ${name}, generation ${generation}`)
  if (wanted !== undefined && !clusters.has(wanted))
    throw new UsageError(`the lake holds nothing of the topic ${topic} of the cluster ${wanted}; there are ${known}`)
  if (wanted === undefined && clusters.size > 1)
    throw new UsageError(`the lake holds the topic ${topic} of several clusters; name one with --cluster: ${known}`)
  return { pipeline: name, generation, cluster: wanted ?? only, topic }
}
