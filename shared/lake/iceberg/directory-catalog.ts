/**
 * Tables whose versions are files with numbers: `metadata/v1.metadata.json`, `v2…`, each put if absent, so that a version can
 * only follow the one it was made of. The layout is that of Iceberg's Hadoop catalog (specification, "File System Tables"), which
 * is unsafe with plain puts; every engine can read it without a server.
 */
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { LocatedStore } from './located-store.ts'
import { type CommitOutcome, following, type LoadedTable, type TableCatalog } from './table-catalog.ts'
import { encodeMetadata, parseMetadata, type TableMetadata } from './table-metadata.ts'

const VERSION = /\/v(?<version>\d+)\.metadata\.json$/

export class DirectoryCatalog implements TableCatalog {
  readonly #store: ObjectStore
  readonly #located: LocatedStore
  /** Table → the key of its folder. */
  readonly #folderOf: (table: string) => string

  constructor(store: ObjectStore, folderOf: (table: string) => string) {
    this.#store = store
    this.#located = new LocatedStore(store)
    this.#folderOf = folderOf
  }

  /** URI of a table's folder: what its metadata has as its location. */
  locationOf(table: string): string {
    return this.#located.locate(this.#folderOf(table))
  }

  async load(table: string): Promise<LoadedTable | undefined> {
    const version = await this.#newestFrom(table, await this.#hint(table))
    if (version === 0) return undefined
    const location = this.#located.locate(this.#keyOf(table, version))
    return { metadata: parseMetadata(location, await this.#located.read(location)), location, token: String(version) }
  }

  create(table: string, metadata: TableMetadata): Promise<CommitOutcome> {
    return this.#put(table, 1, metadata)
  }

  commit(table: string, base: LoadedTable, metadata: TableMetadata): Promise<CommitOutcome> {
    return this.#put(table, Number(base.token) + 1, following(base, metadata))
  }

  async #put(table: string, version: number, metadata: TableMetadata): Promise<CommitOutcome> {
    const key = this.#keyOf(table, version)
    const body = encodeMetadata(metadata)
    if ((await this.#store.putIfAbsent(key, body)) === 'taken') {
      // A client that sends a put twice is told "taken" by its own first one.
      const there = await this.#store.get(key)
      if (there === undefined || Buffer.compare(there, body) !== 0) return 'conflict'
    }
    await this.#store.put(this.#hintKey(table), Buffer.from(String(await this.#newestFrom(table, version))))
    return 'committed'
  }

  /** The hint is written behind the version that it names, and may stay behind. */
  async #newestFrom(table: string, version: number): Promise<number> {
    let newest = version
    while ((await this.#store.size(this.#keyOf(table, newest + 1))) !== undefined) newest += 1
    return newest
  }

  /** The version that readers begin to look at; 0 when there is none yet. */
  async #hint(table: string): Promise<number> {
    const hint = await this.#store.get(this.#hintKey(table))
    const version = hint === undefined ? Number.NaN : Number(Buffer.from(hint).toString('utf8').trim())
    return Number.isSafeInteger(version) && version > 0 ? version : this.#greatest(table)
  }

  async #greatest(table: string): Promise<number> {
    let greatest = 0
    for await (const { key } of this.#store.list(`${this.#folderOf(table)}/metadata/v`))
      greatest = Math.max(greatest, Number(VERSION.exec(key)?.groups?.['version'] ?? 0))
    return greatest
  }

  #keyOf(table: string, version: number): string {
    return `${this.#folderOf(table)}/metadata/v${version}.metadata.json`
  }

  #hintKey(table: string): string {
    return `${this.#folderOf(table)}/metadata/version-hint.text`
  }
}
