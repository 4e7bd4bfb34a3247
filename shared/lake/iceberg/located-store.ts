import { fileURLToPath } from 'node:url'
import { InletError } from '#shared/pipeline/errors.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { placeInTableBucket } from '#shared/lake/table-bucket.ts'

/**
 * The objects of a store by the URIs that Iceberg's metadata names them by. Such a URI is the store's, a slash, and the key as
 * it is: what is percent-encoded in a key stays so, and nothing else is encoded.
 */
export class LocatedStore {
  readonly #store: ObjectStore
  readonly #base: string

  constructor(store: ObjectStore) {
    this.#store = store
    this.#base = baseOf(store.url)
  }

  /** Key → URI. A data file in a bucket of its table's own has it as its key. */
  locate(key: string): string {
    return placeInTableBucket(key) === undefined ? `${this.#base}/${key}` : key
  }

  /** URI → key. @throws InletError TABLE_UNREADABLE for what lies outside the store */
  keyOf(location: string): string {
    const key = this.keyWithin(location)
    if (key !== undefined) return key
    throw new InletError('TABLE_UNREADABLE', `${location} lies outside the lake ${this.#base}`)
  }

  /** URI → key; undefined for what lies outside the store. */
  keyWithin(location: string): string | undefined {
    // Hadoop writes file:/a/b, or /a/b when its catalog is configured so, and other writers file:///a/b.
    const normal = location.replace(/^(?:file:)?\/(?!\/)/, 'file:///').replace(/^s3[an]:/, 's3:')
    return normal.startsWith(`${this.#base}/`) ? normal.slice(this.#base.length + 1) : undefined
  }

  /** @returns undefined when there is no such object */
  find(location: string): Promise<Uint8Array | undefined> {
    return this.#store.get(this.keyOf(location))
  }

  /** @throws InletError TABLE_UNREADABLE when there is no such object */
  async read(location: string): Promise<Uint8Array> {
    const body = await this.find(location)
    if (body === undefined)
      throw new InletError('TABLE_UNREADABLE', `${location} is named by a table, but is not there`)
    return body
  }

  put(location: string, body: Uint8Array): Promise<void> {
    return this.#store.put(this.keyOf(location), body)
  }
}

function baseOf(url: string): string {
  const base = url.startsWith('file:') ? `file://${fileURLToPath(url)}` : url
  return base.replace(/\/+$/, '')
}
