/**
 * Epochs: the lives of a topic's offsets. When a topic is created anew or its cluster replaced, offsets start again, and a
 * record's position names another record than before. Each life has logs of its own; nothing begins one by itself.
 *
 * An epoch is begun by saying that the one before is being ended, so that no log of it can begin; sealing its logs, so that no
 * commit can follow in them; and then putting one write-once object that says so. Whoever opens a log looks for the newest of
 * these objects; whoever is at work on an older epoch meets the seal. Interrupted anywhere, it is finished by doing it again, and
 * once it is done, doing it again changes nothing: who begins an epoch names the one that it ends.
 */
import { InletError } from '#shared/pipeline/errors.ts'
import { CommitLog } from './commit-log.ts'
import { firstKey } from './first-key.ts'
import { lastOffsetOf } from './log-entry.ts'
import { endingKey, epochKey, epochsPrefix, parseEpochKey, type TopicId, topicPrefix } from './log-keys.ts'
import { logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'

/** The epoch that a topic's records belong to now: 0 unless another was begun. One list of one key. */
export async function currentEpoch(store: ObjectStore, topic: TopicId): Promise<number> {
  const key = await firstKey(store, epochsPrefix(topic))
  return key === undefined ? 0 : parseEpochKey(key)
}

/** A log of the epoch before, and the last offset that it reached; −1 when nothing had landed. */
export interface SealedLog {
  readonly partition: number
  readonly lastOffset: number
}

/** What beginning an epoch came to. */
export interface BegunEpoch {
  readonly epoch: number
  readonly sealed: readonly SealedLog[]
}

/** The logs of an epoch as they end now, sealed or not. */
export async function* logsOfEpoch(store: ObjectStore, topic: TopicId, epoch: number): AsyncIterable<SealedLog> {
  for await (const { id, log } of logsOf(store, epochPrefix(topic, epoch))) {
    const newest = await log.newest()
    yield { partition: id.partition, lastOffset: newest === undefined ? -1 : lastOffsetOf(newest) }
  }
}

/**
 * Ends an epoch of a topic and begins the next, if that has not been done. Writers may be at work.
 * @param ending the epoch that ends: the current one, or one before it
 * @param onSeal called after each log that is sealed
 * @throws InletError EPOCH_EMPTY when the epoch that is to end has no commits, or has not begun itself
 */
export async function beginEpoch(
  store: ObjectStore,
  topic: TopicId,
  ending: number,
  onSeal: () => void = () => {},
): Promise<BegunEpoch> {
  if (!(await hasCommits(store, topic, ending)))
    throw new InletError(
      'EPOCH_EMPTY',
      `epoch ${ending} of the topic ${topic.topic} has no commits of ${topic.pipeline} yet: there is nothing to end`,
    )
  await store.putIfAbsent(endingKey(topic, ending), json({ format: 1, epoch: ending }))
  const sealed: SealedLog[] = []
  for await (const { id } of logsOf(store, epochPrefix(topic, ending))) {
    const seal = await new CommitLog(store, id).seal()
    sealed.push({ partition: id.partition, lastOffset: lastOffsetOf(seal) })
    onSeal()
  }
  const next = { epoch: ending + 1, sealed: sealed.sort((a, b) => a.partition - b.partition) }
  // Taken: somebody else has begun this very epoch.
  await store.putIfAbsent(epochKey(topic, next.epoch), json({ format: 1, ...next }))
  return next
}

async function hasCommits(store: ObjectStore, topic: TopicId, epoch: number): Promise<boolean> {
  for await (const { lastOffset } of logsOfEpoch(store, topic, epoch)) if (lastOffset >= 0) return true
  return false
}

function epochPrefix(topic: TopicId, epoch: number): string {
  return `${topicPrefix(topic)}e${epoch}/`
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`)
}
