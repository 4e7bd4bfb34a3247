import type { ListOptions, ObjectEntry, ObjectStore } from './object-store.ts'

/**
 * Reads a store and only pretends to write to it, so that a landing can be tried: it finds out all that it would, from
 * what is in the lake already to what the flow makes of the rest, and leaves nothing behind.
 */
export class DryStore implements ObjectStore {
  readonly url: string
  readonly #store: ObjectStore
  readonly #onPut: (key: string, body: Uint8Array) => Promise<void>

  /** @param onPut sees what would be written, but for entries of the log */
  constructor(store: ObjectStore, onPut: (key: string, body: Uint8Array) => Promise<void>) {
    this.url = store.url
    this.#store = store
    this.#onPut = onPut
  }

  put(key: string, body: Uint8Array): Promise<void> {
    return this.#onPut(key, body)
  }

  async putIfAbsent(key: string): Promise<'created' | 'taken'> {
    return (await this.#store.size(key)) === undefined ? 'created' : 'taken'
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#store.get(key)
  }

  size(key: string): Promise<number | undefined> {
    return this.#store.size(key)
  }

  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectEntry> {
    return this.#store.list(prefix, options)
  }

  async delete(): Promise<void> {}
}
