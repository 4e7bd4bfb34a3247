import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { append } from '#shared/lake/iceberg/append.ts'
import { contentFileOf } from '#shared/lake/iceberg/data-file.ts'
import { expireSnapshots } from '#shared/lake/iceberg/retention.ts'
import { isInAncestry, newSnapshotId } from '#shared/lake/iceberg/snapshot.ts'
import { currentSnapshot, partitionColumnsOf } from '#shared/lake/iceberg/table-metadata.ts'
import { vacuumMetadata } from '#shared/lake/iceberg/vacuum-metadata.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import { always } from '#test/helpers/columns.ts'
import { FIRST_SNAPSHOT_MS, IcebergTable, lockedTable } from '#test/helpers/iceberg-table.ts'
import { type Interceptor, MemoryStore } from '#test/helpers/memory-store.ts'

const ROWS_EACH = 2

/** What a store does with a call: how many turns it takes, and what becomes of it. */
interface Fate {
  readonly turns: number
  readonly fault: 'none' | 'unheard' | 'twice' | 'lost'
}

const fate = fc.record({
  turns: fc.nat({ max: 6 }),
  fault: fc.oneof(
    { weight: 20, arbitrary: fc.constant<'none'>('none') },
    { weight: 1, arbitrary: fc.constantFrom<'unheard' | 'twice' | 'lost'>('unheard', 'twice', 'lost') },
  ),
})

const CALM: Fate = { turns: 1, fault: 'none' }

/** A store that for some calls takes its time, answers puts with errors that have worked or have not, and may do them twice. */
function fickle(fates: readonly Fate[]): Interceptor {
  let calls = 0
  return async ({ operation }, effect) => {
    const { turns, fault } = fates[calls++] ?? CALM
    for (let i = 0; i < turns; i++) await Promise.resolve()
    const isPut = operation.startsWith('put')
    if (fault === 'lost' && isPut) throw new Error('the request was lost')
    const answer = effect()
    if (fault === 'twice' && isPut) return effect()
    if (fault === 'unheard' && isPut) throw new Error('the answer was lost')
    return answer
  }
}

/** Adds files until they are part of the table, whatever the store does: as a committer that asks the table where it stands. */
async function commit(table: IcebergTable, files: readonly DataFile[], snapshotId: bigint): Promise<void> {
  const attempts = 100
  for (let i = 0; i < attempts; i++) {
    try {
      const base = await table.load()
      if (isInAncestry(base.metadata, snapshotId)) return
      const placement = {
        locate: (key: string) => table.located.locate(key),
        partitionColumns: (spec: number) => partitionColumnsOf(base.metadata, spec),
        sortOrder: 1,
      }
      const content = files.map((file) => contentFileOf(file, placement))
      const change = { files: content, snapshotId, attempt: randomUUID(), now: FIRST_SNAPSHOT_MS }
      const { metadata, objects } = await append(base.metadata, change, (location) => table.located.read(location))
      for (const [location, body] of objects) await table.located.put(location, body)
      if ((await table.catalog.commit(table.name, base, metadata)) === 'committed') return
    } catch (error) {
      if (!(error instanceof Error) || !error.message.endsWith('was lost')) throw error
    }
  }
  throw new Error(`it was not committed in ${attempts} attempts`)
}

test('files of any number of writers become part of the table once, whatever becomes of their calls', async () => {
  const writers = fc.integer({ min: 2, max: 4 })
  const fates = fc.array(fc.array(fate, { maxLength: 60 }), { minLength: 4, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(writers, fates, async (count, all) => {
      const store = new MemoryStore()
      const definition = lockedTable('t', [always('n', 'int32')], { n: { bucket: 2 } })
      const table = new IcebergTable(store, definition)
      await table.create({ 'commit.manifest.min-count-to-merge': '3' })
      const { metadata: first } = await table.load()

      const work = Array.from({ length: count }, async (_, writer) => {
        const own = new IcebergTable(store.through(fickle(all[writer] ?? [])), definition)
        for (const turn of [0, 1]) {
          const n = 10 * writer + turn
          const files = await table.write(Array.from({ length: ROWS_EACH }, () => ({ n })))
          await commit(own, files, newSnapshotId(first))
        }
      })
      await Promise.all([...work, vacuumed(table, count)])

      const files = await table.liveFiles()
      const rows = files.reduce((sum, file) => sum + file.rows, 0)
      expect(rows).toBe(2 * count * ROWS_EACH)
      expect(new Set(files.map(({ location }) => location)).size).toBe(files.length)
      const { metadata } = await table.load()
      expect(metadata.snapshots.map((snapshot) => snapshot['sequence-number'])).toEqual(
        metadata.snapshots.map((_, i) => i + 1),
      )
      expect(currentSnapshot(metadata)?.summary['total-records']).toBe(String(rows))

      // What is left over goes, and the table can be read as before.
      const expired = expireSnapshots(metadata, FIRST_SNAPSHOT_MS + 10 * 86_400_000)
      await table.catalog.commit('t', await table.load(), expired)
      for await (const _ of vacuumMetadata(store, table.located, (await table.load()).metadata)) continue
      expect(await table.liveFiles()).toEqual(files)
    }),
    { numRuns: 60 },
  )
}, 120_000)

/** Clears away while writers are at work: as safe as at any other time. */
async function vacuumed(table: IcebergTable, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { metadata } = await table.load()
    for await (const _ of vacuumMetadata(table.store, table.located, metadata)) continue
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
}
