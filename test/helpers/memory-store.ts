import { keyFault, type ListOptions, type ObjectEntry, type ObjectStore } from '#shared/lake/object-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'

/** One request to the store, by the method's name: a list makes one for each page. */
export interface StoreCall {
  readonly operation: string
  /** The key; of a list its prefix. */
  readonly key: string
}

/**
 * Stands between a caller and the objects, and is awaited: it decides when the effect of a call takes place (never,
 * once, twice) and what the caller hears of it.
 */
export type Interceptor = <T>(call: StoreCall, effect: () => T) => Promise<T>

/**
 * An object store in memory that behaves as S3 does: puts are atomic, reads see every put that was answered, lists are
 * in the byte order of keys and come in pages, each of them true at the moment it is asked for.
 */
export class MemoryStore implements ObjectStore {
  readonly url = 'memory:'
  readonly #objects: SortedObjects
  readonly #intercept: Interceptor
  readonly #pageSize: number

  constructor(pageSize = 1000, intercept: Interceptor = straight, objects = new SortedObjects()) {
    this.#pageSize = pageSize
    this.#intercept = intercept
    this.#objects = objects
  }

  /** The same objects, by way of an interceptor. */
  through(intercept: Interceptor): MemoryStore {
    return new MemoryStore(this.#pageSize, intercept, this.#objects)
  }

  put(key: string, body: Uint8Array): Promise<void> {
    const copy = new Uint8Array(body)
    return this.#call('put', key, () => this.#objects.set(key, copy))
  }

  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'taken'> {
    const copy = new Uint8Array(body)
    return this.#call('putIfAbsent', key, () => {
      if (this.#objects.get(key) !== undefined) return 'taken'
      this.#objects.set(key, copy)
      return 'created'
    })
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#call('get', key, () => this.#objects.get(key))
  }

  size(key: string): Promise<number | undefined> {
    return this.#call('size', key, () => this.#objects.get(key)?.length)
  }

  async *list(
    prefix: string,
    { startAfter, limit = Number.POSITIVE_INFINITY }: ListOptions = {},
  ): AsyncIterable<ObjectEntry> {
    let after = startAfter
    let left = limit
    while (left > 0) {
      const size = Math.min(left, this.#pageSize)
      const from = after
      const page = await this.#intercept({ operation: 'list', key: prefix }, () =>
        this.#objects.page(prefix, from, size),
      )
      for (const entry of page.entries) yield entry
      if (!page.isTruncated) return
      after = page.entries.at(-1)?.key
      left -= page.entries.length
    }
  }

  delete(key: string): Promise<void> {
    return this.#call('delete', key, () => this.#objects.delete(key))
  }

  #call<T>(operation: string, key: string, effect: () => T): Promise<T> {
    // A key that is there was good when it was put.
    const fault = this.#objects.get(key) === undefined ? keyFault(key) : undefined
    if (fault === undefined) return this.#intercept({ operation, key }, effect)
    return Promise.reject(new InletError('KEY_INVALID', `cannot ${operation} ${JSON.stringify(key)}: ${fault}`))
  }
}

const straight: Interceptor = async (_call, effect) => effect()

interface StoredObject {
  readonly name: string
  readonly body: Uint8Array
  readonly modified: number
}

/** Objects by key, and the keys in byte order. */
export class SortedObjects {
  readonly #byKey = new Map<string, StoredObject>()
  readonly #names: { readonly name: string; readonly key: string }[] = []

  get(key: string): Uint8Array | undefined {
    return this.#byKey.get(key)?.body
  }

  set(key: string, body: Uint8Array): void {
    const name = this.#byKey.get(key)?.name ?? nameOf(key)
    if (!this.#byKey.has(key)) this.#names.splice(this.#firstFrom(name), 0, { name, key })
    this.#byKey.set(key, { name, body, modified: Date.now() })
  }

  delete(key: string): void {
    const object = this.#byKey.get(key)
    if (object === undefined) return
    this.#byKey.delete(key)
    this.#names.splice(this.#firstFrom(object.name), 1)
  }

  /** At most so many entries that begin with the prefix, behind a key, and whether there are more. */
  page(prefix: string, after: string | undefined, size: number): { entries: ObjectEntry[]; isTruncated: boolean } {
    const start = nameOf(prefix)
    const behind = after === undefined ? '' : `${nameOf(after)}\0`
    const entries: ObjectEntry[] = []
    for (let i = this.#firstFrom(behind > start ? behind : start); i < this.#names.length; i++) {
      const { name, key } = this.#names[i] as { name: string; key: string }
      if (!name.startsWith(start)) break
      if (entries.length === size) return { entries, isTruncated: true }
      const { body, modified } = this.#byKey.get(key) as StoredObject
      entries.push({ key, bytes: body.length, modified })
    }
    return { entries, isTruncated: false }
  }

  /** Index of the first name that is not less than this one. */
  #firstFrom(name: string): number {
    let low = 0
    let high = this.#names.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#names[middle]?.name ?? '') < name) low = middle + 1
      else high = middle
    }
    return low
  }
}

const NOT_ASCII = /[^\0-\x7f]/

/** A key as one character for each of its UTF-8 bytes: JavaScript compares these in the byte order of the keys. */
function nameOf(key: string): string {
  return NOT_ASCII.test(key) ? Buffer.from(key).toString('latin1') : key
}
