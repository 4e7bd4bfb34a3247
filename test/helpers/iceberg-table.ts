import { randomUUID } from 'node:crypto'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import { append } from '#shared/lake/iceberg/append.ts'
import { type ContentFile, contentFileOf } from '#shared/lake/iceberg/data-file.ts'
import { DirectoryCatalog } from '#shared/lake/iceberg/directory-catalog.ts'
import { LocatedStore } from '#shared/lake/iceberg/located-store.ts'
import { newSnapshotId } from '#shared/lake/iceberg/snapshot.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { type LiveFile, liveFiles } from '#shared/lake/iceberg/table-files.ts'
import {
  createTable,
  currentSnapshot,
  partitionColumnsOf,
  type TableMetadata,
} from '#shared/lake/iceberg/table-metadata.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { partitionKey, partitionOf, partitionValues } from '#shared/pipeline/partition.ts'
import type { DeclaredPartitions } from '#shared/pipeline/partition-by.ts'
import { partitionPath } from '#shared/pipeline/partition-path.ts'
import { defineTable, type Table } from '#shared/pipeline/table.ts'
import { NO_LOCK, type TableLock } from '#shared/pipeline/table-lock.ts'

/** When snapshots are made, in milliseconds since 1970; each a second later. */
export const FIRST_SNAPSHOT_MS = 1_700_000_000_000

/** The lock that a table of these columns gets, and the table that has it. */
export function lockedTable(
  name: string,
  columns: readonly Column[],
  partitionBy: DeclaredPartitions = {},
  before: TableLock = NO_LOCK,
): Table & { lock: TableLock } {
  const lock = lockFor(defineTable(name, columns, { partitionBy, layout: 'files' }), before)
  return { ...defineTable(name, columns, { partitionBy, lock }), lock }
}

/** An Iceberg table in a store, to which rows are added as the flow and a committer would do it. */
export class IcebergTable {
  readonly name: string
  readonly catalog: DirectoryCatalog
  readonly located: LocatedStore
  readonly store: ObjectStore
  table: Table & { lock: TableLock }
  /** Rows, and snapshots, so far. */
  rows = 0
  snapshots = 0

  constructor(store: ObjectStore, table: Table & { lock: TableLock }) {
    this.store = store
    this.table = table
    this.name = table.name
    this.catalog = new DirectoryCatalog(store, (name) => `tables/${name}`)
    this.located = new LocatedStore(store)
  }

  /** URI of its folder. */
  get location(): string {
    return this.catalog.locationOf(this.name)
  }

  async create(properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const { location, table } = this
    const first = { uuid: randomUUID(), location, lock: table.lock, properties, now: FIRST_SNAPSHOT_MS }
    if ((await this.catalog.create(this.name, createTable(first))) !== 'committed') throw new Error('it exists')
  }

  /** Adds rows, in files of their table partitions, as one snapshot. @returns the new version */
  async add(rows: readonly Row[]): Promise<TableMetadata> {
    const files = await this.write(rows)
    const base = await this.load()
    const { metadata, objects } = await this.appended(base.metadata, files)
    for (const [location, body] of objects) await this.located.put(location, body)
    if ((await this.catalog.commit(this.name, base, metadata)) !== 'committed') throw new Error('a race was lost')
    return metadata
  }

  /** Writes data files, and names them as a commit does. */
  async write(rows: readonly Row[]): Promise<DataFile[]> {
    const { columns, partitionSpec, lock } = this.table
    const groups = Map.groupBy(
      rows.map((row) => ({ ...row, ...this.#auditOf() })),
      (row) => {
        const placed = partitionOf(row, partitionSpec)
        if (!placed.ok) throw new Error(placed.rejection.message)
        return partitionKey(placed.value)
      },
    )
    const files: DataFile[] = []
    for (const some of groups.values()) {
      const file = fileRowsOf(this.table)
      for (const row of some) file.append(row)
      const { body, statistics } = file.encode({})
      if (statistics === null) throw new Error(`${columns.length} columns without ids`)
      const placed = partitionOf(some[0] ?? {}, partitionSpec)
      const values = placed.ok ? placed.value : []
      const path = `tables/${this.name}/data/${partitionPath(values, partitionSpec)}/${randomUUID()}.parquet`.replace(
        '//',
        '/',
      )
      await this.store.put(path, body)
      const partition = partitionValues(values, partitionSpec)
      const content = { rows: some.length, bytes: body.length, sha256: '', spec: lock.spec, statistics }
      files.push({ table: this.name, path, partition, ...content })
    }
    return files
  }

  /** What a manifest says of files that were written. */
  contentOf(base: TableMetadata, files: readonly DataFile[]): ContentFile[] {
    const placement = {
      locate: (key: string) => this.located.locate(key),
      partitionColumns: (spec: number) => partitionColumnsOf(base, spec),
      sortOrder: 1,
    }
    return files.map((file) => contentFileOf(file, placement))
  }

  /** The version that has these files too, not yet committed. */
  async appended(base: TableMetadata, files: readonly DataFile[]): ReturnType<typeof append> {
    const change = {
      files: this.contentOf(base, files),
      snapshotId: newSnapshotId(base),
      attempt: randomUUID(),
      now: FIRST_SNAPSHOT_MS + 1000 * ++this.snapshots,
    }
    return append(base, change, (location) => this.located.read(location))
  }

  async load(): Promise<LoadedTable> {
    const loaded = await this.catalog.load(this.name)
    if (loaded === undefined) throw new Error(`there is no table ${this.name}`)
    return loaded
  }

  async liveFiles(): Promise<LiveFile[]> {
    const { metadata } = await this.load()
    const snapshot = currentSnapshot(metadata)
    const files: LiveFile[] = []
    if (snapshot === undefined) return files
    for await (const file of liveFiles(metadata, snapshot, (location) => this.located.read(location))) files.push(file)
    return files
  }

  #auditOf(): Row {
    return { _epoch: 0, _kafka_partition: 0, _offset: this.rows++, _index: 0, _timestamp: FIRST_SNAPSHOT_MS }
  }
}
