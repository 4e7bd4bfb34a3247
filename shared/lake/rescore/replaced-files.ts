import { randomUUID } from 'node:crypto'
import pMap from 'p-map'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { overwrite, type Replacement } from '#shared/lake/iceberg/overwrite.ts'
import { newSnapshotId } from '#shared/lake/iceberg/snapshot.ts'
import { RESCORED_PROPERTY, type TableOwner } from '#shared/lake/table-marks.ts'
import { asInletError, InletError } from '#shared/pipeline/errors.ts'

const ATTEMPTS = 50
const CONCURRENCY = 16

/**
 * Files take the place of others in a table: one snapshot, by compare and swap, made again on what the table has become when another
 * writer was first.
 * @returns those whose old files were still there: another writer has put the rows of the others elsewhere
 * @throws InletError TABLE_CONTENDED when the swap was lost too often
 */
export async function replaceFiles(
  { tables, now }: CommitterSurroundings,
  { table }: TableOwner,
  replacements: readonly Replacement[],
): Promise<readonly Replacement[]> {
  for (let n = 1; n <= ATTEMPTS; n++) {
    const base = await tables.catalog.load(table)
    if (base === undefined) return []
    const located = tables.filesAt(base.metadata.location)
    const attempt = randomUUID()
    const snapshotId = newSnapshotId(base.metadata)
    const change = { replacements, snapshotId, attempt, now: now(), summary: { [RESCORED_PROPERTY]: attempt } }
    const overwritten = await overwrite(base.metadata, change, (location) => located.read(location))
    if (overwritten === undefined) return []
    const puts = pMap(overwritten.objects, ([location, body]) => located.put(location, body), {
      concurrency: CONCURRENCY,
      stopOnError: false, // what has begun must settle before anything is answered
    })
    await puts.catch((error: unknown) => {
      throw asInletError(error, 'write the manifests of a snapshot')
    })
    if ((await tables.catalog.commit(table, base, overwritten.metadata)) === 'committed') return overwritten.replaced
  }
  throw new InletError(
    'TABLE_CONTENDED',
    `table ${table}: ${ATTEMPTS} times another writer's commit came first; the next run goes on`,
  )
}
