import { CommitLog } from '#shared/lake/commit-log.ts'
import { newEntries, releaseMarkers } from '#shared/lake/log-follower.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { vacuum } from '#shared/lake/vacuum.ts'
import type { WriteSlice } from '#shared/pipeline/commit.ts'
import type { MemoryTable, TableVersion } from './memory-table.ts'

/** What a schedule is run on: the product's own code, unless a test takes a guard out to see that it is missed. */
export interface Parts {
  readonly openLog: (store: ObjectStore, id: LogId) => Pick<CommitLog, 'land'>
  readonly newEntries: typeof newEntries
  readonly releaseMarkers: typeof releaseMarkers
  readonly vacuum: typeof vacuum
  readonly store: (store: ObjectStore) => ObjectStore
  readonly write: (write: WriteSlice) => WriteSlice
  readonly swap: (table: MemoryTable, expected: TableVersion, next: TableVersion) => boolean
}

export const PRODUCT: Parts = {
  openLog: (store, id) => new CommitLog(store, id),
  newEntries,
  releaseMarkers,
  vacuum,
  store: (store) => store,
  write: (write) => write,
  swap: (table, expected, next) => table.swap(expected, next),
}
