import type { Lake, SliceLog, SourceTopic } from '#shared/pipeline/commit.ts'
import { CommitLog } from './commit-log.ts'
import { type LogId, logPrefix } from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'

/** A lake on an object store. Logs stay open as long as the lake does, so that a warm writer need not list. */
export class ObjectStoreLake implements Lake {
  readonly #store: ObjectStore
  readonly #logs = new Map<string, CommitLog>()

  constructor(store: ObjectStore) {
    this.#store = store
  }

  openLog(pipeline: string, source: SourceTopic, partition: number): SliceLog {
    const id: LogId = { pipeline, generation: 0, ...source, epoch: 0, partition }
    const prefix = logPrefix(id)
    let log = this.#logs.get(prefix)
    if (log === undefined) {
      log = new CommitLog(this.#store, id)
      this.#logs.set(prefix, log)
    }
    return log
  }
}
