import { CommitLog, type LandMode } from '#shared/lake/commit-log.ts'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import type { Landing, WriteSlice } from '#shared/pipeline/commit.ts'
import { MemoryStore } from './memory-store.ts'
import { recordsAt, writeOffsets } from './slices.ts'

/** The log that is filled. */
export const ID: LogId = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights', epoch: 3, partition: 0 }

interface LandOptions {
  readonly log?: CommitLog
  readonly write?: WriteSlice
  readonly mode?: LandMode
}

/** A commit of the chain, and what amends it, by the offsets that they cover. */
interface Link {
  readonly start: number
  readonly end: number
  readonly covered: LogEntry['covered']
  readonly amendments: readonly LogEntry['covered'][]
}

/** The log of the test that runs. */
export interface MemoryLog {
  readonly store: () => MemoryStore
  /** Lands offsets as a function that has just started does, or by a log that is open already. */
  readonly land: (offsets: readonly number[], options?: LandOptions) => Promise<Landing>
  readonly chain: () => Promise<Link[]>
  /** How often each offset is in a table, for those who read the files that the log names. */
  readonly read: (table: string) => Promise<Record<string, number>>
}

/** For a file of tests: a log in memory, empty before each of them. */
export function memoryLog(): MemoryLog {
  let store = new MemoryStore()
  beforeEach(() => {
    store = new MemoryStore()
  })

  return {
    store: () => store,

    land: (offsets, { log = new CommitLog(store, ID), write = writeOffsets(), mode } = {}) =>
      log.land(recordsAt(...offsets), write, mode),

    async chain() {
      const log = new LogStore(store, ID)
      const commits: Link[] = []
      for await (const { start, end, covered } of log.commits()) {
        const amendments = (await log.amendmentsOf(start)).map((amendment) => amendment.covered)
        commits.unshift({ start, end, covered, amendments })
      }
      return commits
    },

    async read(table) {
      const log = new LogStore(store, ID)
      const times: Record<string, number> = {}
      for (const entries of [log.commits(), log.amendments()])
        for await (const { files } of entries)
          for (const { path } of files.filter((file) => file.table === table))
            for (const offset of JSON.parse(Buffer.from((await store.get(path)) ?? []).toString()) as number[])
              times[offset] = (times[offset] ?? 0) + 1
      return times
    },
  }
}

/** Each of these offsets once. */
export const once = (...offsets: readonly number[]): Record<string, number> =>
  Object.fromEntries(offsets.map((offset) => [offset, 1]))
