import type { SliceLog } from '#shared/pipeline/commit.ts'
import { readDeadLetters } from '#shared/pipeline/dead-letter-file.ts'
import type { Flow } from '#shared/pipeline/flow.ts'
import { CommitLog } from './commit-log.ts'
import { DryStore } from './dry-store.ts'
import { dataPrefix, type LogId } from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'

/** A log that takes dead letters and discarded batches: rejected records are tried again. */
export function redriveLog(store: ObjectStore, id: LogId): SliceLog {
  const log = new CommitLog(store, id)
  return { land: (records, write) => log.land(records, write, 'redrive') }
}

/**
 * A store for a redrive that writes nothing.
 * @param codes counts why records would be refused: code → records
 */
export function dryRedriveStore(store: ObjectStore, { deadLetters }: Flow, codes: Map<string, number>): ObjectStore {
  return new DryStore(store, async (key, body) => {
    if (!key.startsWith(dataPrefix(deadLetters.name))) return
    for (const { code } of await readDeadLetters(body)) codes.set(code, (codes.get(code) ?? 0) + 1)
  })
}
