import { randomUUID } from 'node:crypto'
import { commitTable, type CommitterSurroundings } from '#shared/lake/committer.ts'
import { append } from '#shared/lake/iceberg/append.ts'
import { LocatedStore } from '#shared/lake/iceberg/located-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { newSnapshotId } from '#shared/lake/iceberg/snapshot.ts'
import { liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot, withProperties } from '#shared/lake/iceberg/table-metadata.ts'
import { applyTable } from '#shared/lake/lake-tables.ts'
import type { PipelineTable } from '#shared/lake/pipeline-tables.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { marksOf } from '#shared/lake/table-marks.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Bucket } from './bucket.ts'
import type { FollowedTable, TableVersion, Workplace } from './followed-table.ts'
import { rescoreOnce } from './handler-scores.ts'
import { LAKE_URL } from './lambda.ts'

/** How often who commits scores rows that wait, too. */
const RESCORES = 0.5
const BEGIN = Date.UTC(2026, 0, 1)
/** Small manifests are merged early, so that schedules see it. */
const OF_THE_ENGINE = { 'commit.manifest.min-count-to-merge': '3' }

/** An Iceberg table in the lake itself, filled by the product's committer: all that goes wrong with a store does with it. */
export class IcebergTable implements FollowedTable {
  readonly name: string
  current: TableVersion = { files: [], marks: {} }
  missing: readonly string[] = []
  readonly #table: PipelineTable
  readonly #exists: (path: string) => boolean
  readonly #scored: Pipeline | undefined

  /** @param scored the pipeline, when rows of the table have scores, which may come later */
  constructor(table: PipelineTable, exists: (path: string) => boolean, scored?: Pipeline) {
    this.name = table.owner.table
    this.#table = table
    this.#exists = exists
    this.#scored = scored
  }

  async commit(workplace: Workplace): Promise<void> {
    const { owner, lock } = this.#table
    const surroundings = surroundingsOf(workplace)
    await applyTable(surroundings, owner, lock)
    await commitTable(surroundings, owner, { limit: workplace.limit })
    const { process } = workplace
    if (this.#scored !== undefined && process.random() < RESCORES)
      await rescoreOnce(surroundings, this.#scored, () => process.random())
  }

  /** A snapshot without files, and a property. */
  async disturb(workplace: Workplace): Promise<void> {
    const { tables, now } = surroundingsOf(workplace)
    const base = await tables.catalog.load(this.name)
    if (base === undefined) return
    const { metadata } = base
    const files = tables.filesAt(metadata.location)
    const change = { files: [], snapshotId: newSnapshotId(metadata), attempt: randomUUID(), now: now() }
    const appended = await append(metadata, change, (location) => files.read(location))
    for (const [location, body] of appended.objects) await files.put(location, body)
    await tables.catalog.commit(this.name, base, withProperties(appended.metadata, OF_THE_ENGINE, now()))
  }

  async read(bucket: Bucket): Promise<void> {
    const store = new S3Store(LAKE_URL, { client: bucket.client() })
    const located = new LocatedStore(store)
    const loaded = await openCatalog('directory', store).catalog.load(this.name)
    const snapshot = loaded === undefined ? undefined : currentSnapshot(loaded.metadata)
    if (loaded === undefined) return
    const files: string[] = []
    if (snapshot !== undefined)
      for await (const { location } of liveFiles(loaded.metadata, snapshot, (of) => located.read(of)))
        files.push(located.keyOf(location))
    const marks = await marksOf(store, loaded.metadata, this.#table.owner)
    this.current = { files, marks: marks?.logs ?? {} }
    this.missing = files.filter((path) => !this.#exists(path))
  }
}

function surroundingsOf({ store, process }: Workplace): CommitterSurroundings {
  return { store, tables: openCatalog('directory', store), now: () => BEGIN + process.now }
}
