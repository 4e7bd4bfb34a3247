import { CommitLog, type LandMode } from '#shared/lake/commit-log.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Lake } from '#shared/pipeline/commit.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { processBatch } from '#shared/pipeline/process-batch.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'

/** How a delivery comes to a lake. */
export interface DeliveryOptions {
  readonly mode?: LandMode
  readonly epoch?: number
}

/** Lands an MSK event in a lake, as the handler does; what fails is thrown. */
export async function deliver(
  store: ObjectStore,
  pipeline: Pipeline,
  event: unknown,
  { mode = 'deliver', epoch = 0 }: DeliveryOptions = {},
): Promise<void> {
  const lake: Lake = {
    openLog({ name, generation }, source, partition) {
      const id: LogId = { pipeline: name, generation, ...source, epoch, partition }
      const log = new CommitLog(store, id)
      return { land: (records, write) => log.land(records, write, mode) }
    },
  }
  const options = { lake, signal: new AbortController().signal, concurrency: 2 }
  for (const { error } of await processBatch(compileFlow(pipeline), parseMskEvent(event), options))
    if (error !== null) throw error
}
