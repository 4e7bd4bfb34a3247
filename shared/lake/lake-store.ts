import { InletError } from '#shared/pipeline/errors.ts'
import { dataPrefix } from './log-keys.ts'
import type { ListOptions, ObjectEntry, ObjectStore } from './object-store.ts'
import { placeInTableBucket } from './table-bucket.ts'
import { notedTable } from './table-identity.ts'
import type { TableOwner } from './table-owner.ts'

export interface LakeStoreOptions {
  /** Opens the bucket of a table, by its URL. */
  readonly openBucket: (url: string) => ObjectStore
  /** Whether a table has a bucket of its own: `unknown` is found out. */
  readonly hasBucket: (table: string) => boolean | 'unknown'
}

/**
 * The objects of a lake, and the data files of those of its tables that have a bucket of their own. Such a file has its URI as
 * its key: so the log says by itself where each file lies, also when a table moves into a catalog that wants it elsewhere.
 * Buckets of tables can neither be listed nor deleted from.
 */
export class LakeStore implements ObjectStore {
  readonly url: string
  readonly #lake: ObjectStore
  readonly #options: LakeStoreOptions
  /** By URL. Stores are kept: each bounds the calls that are under way. */
  readonly #buckets = new Map<string, ObjectStore>()
  /** By table. */
  readonly #folders = new Map<string, Promise<string>>()

  constructor(lake: ObjectStore, options: LakeStoreOptions) {
    this.url = lake.url
    this.#lake = lake
    this.#options = options
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    const [store, inner] = this.#placeOf(key)
    try {
      await store.put(inner, body)
    } catch (error) {
      // The table may be another one by now.
      if (store !== this.#lake) this.#folders.clear()
      throw error
    }
  }

  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'taken'> {
    const [store, inner] = this.#placeOf(key)
    return store.putIfAbsent(inner, body)
  }

  get(key: string): Promise<Uint8Array | undefined> {
    const [store, inner] = this.#placeOf(key)
    return store.get(inner)
  }

  size(key: string): Promise<number | undefined> {
    const [store, inner] = this.#placeOf(key)
    return store.size(inner)
  }

  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectEntry> {
    return this.#lake.list(prefix, options)
  }

  delete(key: string): Promise<void> {
    const [store, inner] = this.#placeOf(key)
    return store.delete(inner)
  }

  /** Asked for each file that is written, and found out once for each table. */
  dataFolder(owner: TableOwner): Promise<string> {
    const { table } = owner
    const known = this.#folders.get(table)
    if (known !== undefined) return known
    const folder = this.#findFolder(owner)
    this.#folders.set(table, folder)
    folder.catch(() => this.#folders.delete(table))
    return folder
  }

  async #findFolder(owner: TableOwner): Promise<string> {
    const { table, pipeline } = owner
    const hasBucket = this.#options.hasBucket(table)
    const location = hasBucket === false ? undefined : (await notedTable(this.#lake, owner))?.location
    if (location !== undefined) return `${location}/data/`
    if (hasBucket !== true) return dataPrefix(table)
    throw new InletError(
      'TABLE_MISSING',
      `the lake does not know where S3 Tables keeps the table ${table}: make it with "inlet table apply ${pipeline}"`,
    )
  }

  #placeOf(key: string): [store: ObjectStore, key: string] {
    const place = placeInTableBucket(key)
    if (place === undefined) return [this.#lake, key]
    const store = this.#buckets.get(place.bucket) ?? this.#options.openBucket(place.bucket)
    this.#buckets.set(place.bucket, store)
    return [store, place.key]
  }
}
