import type { TableOwner } from './table-owner.ts'

/** One listed object. */
export interface ObjectEntry {
  readonly key: string
  readonly bytes: number
  /** When it was put last, by the store's clock, in milliseconds since 1970. */
  readonly modified: number
}

export interface ListOptions {
  /** Only keys behind this one, in byte order. It need not exist. */
  readonly startAfter?: string
  readonly limit?: number
}

/**
 * What the lake needs of an object store: atomic puts, consistent reads and lists, as S3 gives them. Keys are
 * slash-separated, without empty, `.` or `..` segments. Every method throws an `InletError` of stage `store`.
 */
export interface ObjectStore {
  readonly url: string
  /** Makes an object durable, replacing what is there. */
  put(key: string, body: Uint8Array): Promise<void>
  /** Makes an object durable unless the key is taken. At most one of any number of writers gets `created`. */
  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'taken'>
  get(key: string): Promise<Uint8Array | undefined>
  /** Size in bytes; undefined when there is no such object. */
  size(key: string): Promise<number | undefined>
  /** Objects whose keys begin with the prefix, in the byte order of their keys. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectEntry>
  /** Deletes an object; one that is not there is no error. */
  delete(key: string): Promise<void>
  /** What the keys of a table's new data files begin with, where that may be elsewhere than in the table's folder of the lake. */
  dataFolder?(owner: TableOwner): Promise<string>
}

/** @returns why a key is not acceptable, or undefined */
export function keyFault(key: string): string | undefined {
  if (key.includes('\0')) return 'it holds a NUL byte'
  if (key.split('/').some((segment) => segment === '' || segment === '.' || segment === '..'))
    return 'it has an empty, "." or ".." segment'
  return undefined
}
