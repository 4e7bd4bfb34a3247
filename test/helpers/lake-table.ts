import {
  commitTable,
  type CommitterOptions,
  type CommitterSurroundings,
  type TableCommit,
} from '#shared/lake/committer.ts'
import { type OpenCatalog, openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { TableCatalog } from '#shared/lake/iceberg/table-catalog.ts'
import { type LiveFile, liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { applyTable } from '#shared/lake/lake-tables.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { TableOwner } from '#shared/lake/table-marks.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { defineTable, type Table } from '#shared/pipeline/table.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'

/** The same pipeline with the lock that its table gets. */
export function locked(pipeline: Pipeline): Pipeline & { table: Table & { lock: TableLock } } {
  const { table } = pipeline
  const lock = lockFor(table)
  return { ...pipeline, table: { ...table, ...defineLike(table, lock), lock } }
}

function defineLike(table: Table, lock: TableLock): Table {
  const own = table.columns.filter(({ name }) => !name.startsWith('_'))
  const partitionBy = Object.fromEntries(table.partitionSpec.map(({ column, transform }) => [column, transform]))
  return defineTable(table.name, own, { partitionBy: partitionBy as never, keep: table.keep, lock })
}

/** A pipeline's table in a store, with the committer that fills it. */
export class LakeTable {
  readonly surroundings: CommitterSurroundings
  readonly owner: TableOwner
  readonly catalog: TableCatalog
  readonly #lock: TableLock

  constructor(
    store: ObjectStore,
    { name, generation, table }: Pipeline & { table: { lock: TableLock } },
    { now = Date.now, tables: opened }: { now?: () => number; tables?: OpenCatalog } = {},
  ) {
    const tables = opened ?? openCatalog('directory', store)
    this.catalog = tables.catalog
    this.surroundings = { store, tables, now }
    this.owner = { pipeline: name, generation, table: table.name }
    this.#lock = table.lock
  }

  /** One that is made already. */
  static async applied(...of: ConstructorParameters<typeof LakeTable>): Promise<LakeTable> {
    const table = new LakeTable(...of)
    await table.apply()
    return table
  }

  apply(lock = this.#lock, options: { anew?: boolean } = {}): ReturnType<typeof applyTable> {
    return applyTable(this.surroundings, this.owner, lock, options)
  }

  commit(options: CommitterOptions = {}): Promise<TableCommit> {
    return commitTable(this.surroundings, this.owner, options)
  }

  async metadata(): Promise<TableMetadata> {
    const loaded = await this.catalog.load(this.owner.table)
    if (loaded === undefined) throw new Error('there is no such table')
    return loaded.metadata
  }

  /** The files of the current snapshot. */
  async files(): Promise<LiveFile[]> {
    const metadata = await this.metadata()
    const snapshot = currentSnapshot(metadata)
    const files: LiveFile[] = []
    if (snapshot === undefined) return files
    const located = this.surroundings.tables.filesAt(metadata.location)
    for await (const file of liveFiles(metadata, snapshot, (location) => located.read(location))) files.push(file)
    return files
  }
}
