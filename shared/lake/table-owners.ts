import type { ObjectStore } from './object-store.ts'
import { MARKS_ROOT, marksPrefix, type TableOwner } from './table-marks.ts'

const OWNED = /^marks\/(?<pipeline>[^/]+)\/g(?<generation>\d+)\/(?<table>[^/]+)\//

/** The tables that a lake's logs fill, in whatever catalog they are: found by their marks, one list of one key for each. */
export async function* tableOwners(store: ObjectStore): AsyncIterable<TableOwner> {
  for (let key = await firstKey(store, ''); key !== undefined; ) {
    const { pipeline, generation, table } = OWNED.exec(key)?.groups ?? {}
    let behind = key
    if (pipeline !== undefined && table !== undefined) {
      const owner = { pipeline, generation: Number(generation), table }
      yield owner
      // Behind every key of the table: the character behind the slash.
      behind = `${marksPrefix(owner).slice(0, -1)}0`
    }
    key = await firstKey(store, behind)
  }
}

async function firstKey(store: ObjectStore, startAfter: string): Promise<string | undefined> {
  for await (const { key } of store.list(MARKS_ROOT, { startAfter, limit: 1 })) return key
  return undefined
}
