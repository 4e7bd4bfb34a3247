import type { Lake, Landing, SliceLog, SourceTopic, TopicReader, WriteSlice } from '#shared/pipeline/commit.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { CommitLog } from './commit-log.ts'
import { currentEpoch } from './epochs.ts'
import { logPrefix, type TopicId } from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'

/** A lake on an object store. Logs stay open as long as the lake does, so that a warm writer need not list. */
export class ObjectStoreLake implements Lake {
  readonly #store: ObjectStore
  readonly #logs = new Map<string, SliceLog>()

  constructor(store: ObjectStore) {
    this.#store = store
  }

  openLog({ name: pipeline, generation }: TopicReader, source: SourceTopic, partition: number): SliceLog {
    const topic: TopicId = { pipeline, generation, ...source }
    const name = logPrefix({ ...topic, epoch: 0, partition })
    let log = this.#logs.get(name)
    if (log === undefined) {
      log = new CurrentLog(this.#store, topic, partition)
      this.#logs.set(name, log)
    }
    return log
  }
}

/**
 * The log of a Kafka partition in the current epoch, which is looked up when the log is opened, and again after every landing
 * that failed: the epoch may be over.
 */
class CurrentLog implements SliceLog {
  readonly #store: ObjectStore
  readonly #topic: TopicId
  readonly #partition: number
  #log: CommitLog | undefined

  constructor(store: ObjectStore, topic: TopicId, partition: number) {
    this.#store = store
    this.#topic = topic
    this.#partition = partition
  }

  async land(records: readonly KafkaRecord[], write: WriteSlice): Promise<Landing> {
    this.#log ??= new CommitLog(this.#store, {
      ...this.#topic,
      epoch: await currentEpoch(this.#store, this.#topic),
      partition: this.#partition,
    })
    try {
      return await this.#log.land(records, write)
    } catch (error) {
      // Not tried again here: this delivery may have begun in the old epoch, and its records must not enter the new one.
      this.#log = undefined
      throw error
    }
  }
}
