import type { ObjectStore } from './object-store.ts'
import { notedTable } from './table-identity.ts'
import { tableOwners } from './table-owners.ts'

/** A table that lies outside of its lake: in a bucket of its own, which cannot be listed. */
export interface OutsideTable {
  readonly table: string
  /** URI. */
  readonly location: string
}

/** The tables of a lake that lie outside of it. */
export async function outsideTables(store: ObjectStore): Promise<OutsideTable[]> {
  const found: OutsideTable[] = []
  for await (const owner of tableOwners(store)) {
    const location = (await notedTable(store, owner))?.location
    if (location !== undefined) found.push({ table: owner.table, location })
  }
  return found
}
