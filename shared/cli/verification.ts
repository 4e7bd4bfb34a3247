import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { outsideTables } from '#shared/lake/outside-tables.ts'
import { type Verification, verifyLake } from '#shared/lake/verify.ts'
import { provenTables, type SnapshotProof } from '#shared/lake/verify/snapshot-proof.ts'
import { requireLake } from './missing-lake.ts'
import { Progress } from './progress.ts'

/** The proof of a lake and of the tables that it fills. */
export interface LakeProof extends Verification {
  readonly tables: readonly SnapshotProof[]
}

/**
 * @param catalog of the tables
 * @throws InletError LOG_CORRUPT when there is no commit log at all: an empty proof would prove nothing
 */
export async function verifyWithProgress(lake: string, catalog: string, deep: boolean): Promise<LakeProof> {
  let progress: Progress | undefined
  try {
    const store = openLake(lake)
    await requireLake(store)
    const tables: SnapshotProof[] = []
    const replaced = new Set<string>()
    for await (const table of provenTables(store, openCatalog(catalog, store), { deep })) {
      tables.push(table.proof)
      for (const path of table.replaced) replaced.add(path)
    }
    const isAllListed = (await outsideTables(store)).length === 0
    const verification = await verifyLake(store, {
      deep,
      isReplaced: (path) => replaced.has(path),
      onFiles: (total) => {
        progress = new Progress('verify', isAllListed ? total : null, 'files')
      },
      onFile: () => progress?.advance(1),
    })
    return { ...verification, tables, faults: [...verification.faults, ...tables.flatMap(({ faults }) => faults)] }
  } finally {
    progress?.stop()
  }
}
