import { randomUUID } from 'node:crypto'
import type { OpenCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { createTable, currentSnapshot, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { FIRST_SNAPSHOT_MS, IcebergTable, type lockedTable } from './iceberg-table.ts'

/** How often a race may be lost before something must be wrong. */
const TRIES = 200

/** An Iceberg table in any catalog, to which rows are added as the flow and a committer do it. */
export class CatalogTable {
  readonly name: string
  readonly opened: OpenCatalog
  readonly #iceberg: IcebergTable
  /** Races that were lost. */
  conflicts = 0

  /** @param store where the table's files are */
  constructor(opened: OpenCatalog, store: ObjectStore, table: ReturnType<typeof lockedTable>) {
    this.name = table.name
    this.opened = opened
    this.#iceberg = new IcebergTable(store, table)
  }

  /** The first version of the table, which is in no catalog yet. */
  async first(): Promise<TableMetadata> {
    const location = await this.opened.locationOf(this.name)
    const { lock } = this.#iceberg.table
    return createTable({ uuid: randomUUID(), location, lock, properties: {}, now: FIRST_SNAPSHOT_MS })
  }

  async create(): Promise<void> {
    if ((await this.opened.catalog.create(this.name, await this.first())) !== 'committed') throw new Error('it exists')
  }

  async load(): Promise<LoadedTable> {
    const loaded = await this.opened.catalog.load(this.name)
    if (loaded === undefined) throw new Error(`there is no table ${this.name}`)
    return loaded
  }

  /** Adds rows as one snapshot. The data is written once, the metadata for every try. @returns the URIs of the data files */
  async add(rows: readonly Row[]): Promise<string[]> {
    const files = await this.#iceberg.write(rows)
    for (let tries = 0; tries < TRIES; tries++) {
      const base = await this.load()
      if ((await this.commit(base, await this.#grown(base, files))) === 'committed')
        return files.map(({ path }) => this.#iceberg.located.locate(path))
      this.conflicts += 1
    }
    throw new Error(`${TRIES} races were lost`)
  }

  commit(base: LoadedTable, next: TableMetadata): Promise<'committed' | 'conflict'> {
    return this.opened.catalog.commit(this.name, base, next)
  }

  /** A version with these rows, whose objects are there. */
  async next(base: LoadedTable, rows: readonly Row[]): Promise<TableMetadata> {
    return this.#grown(base, await this.#iceberg.write(rows))
  }

  async #grown(base: LoadedTable, files: readonly DataFile[]): Promise<TableMetadata> {
    const { metadata, objects } = await this.#iceberg.appended(base.metadata, files)
    for (const [location, body] of objects) await this.opened.filesAt(location).put(location, body)
    return metadata
  }

  /** URIs of the data files that the current version has, each as often as it has it. */
  async dataFiles(): Promise<string[]> {
    const { metadata } = await this.load()
    const snapshot = currentSnapshot(metadata)
    if (snapshot === undefined) return []
    const read = (location: string): Promise<Uint8Array> => this.opened.filesAt(location).read(location)
    const locations: string[] = []
    for await (const { location } of liveFiles(metadata, snapshot, read)) locations.push(location)
    return locations
  }
}
