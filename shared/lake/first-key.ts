import type { ObjectStore } from './object-store.ts'

/**
 * The first key below a prefix: one list of one key.
 * @param startAfter only keys behind this one
 */
export async function firstKey(store: ObjectStore, prefix: string, startAfter = ''): Promise<string | undefined> {
  for await (const { key } of store.list(prefix, { startAfter, limit: 1 })) return key
  return undefined
}

/**
 * The folders below a prefix, in byte order: one list of one key for each, however much lies in them.
 * @param folderOf the folder that a key lies in, with the slash at its end, and what it is; keys of no folder are passed over
 */
export async function* foldersBelow<T extends { readonly prefix: string }>(
  store: ObjectStore,
  prefix: string,
  folderOf: (key: string) => T | undefined,
): AsyncIterable<T> {
  for (let key = await firstKey(store, prefix); key !== undefined; ) {
    const folder = folderOf(key)
    if (folder !== undefined) yield folder
    key = await firstKey(store, prefix, folder === undefined ? key : behind(folder.prefix))
  }
}

/** Sorts behind every key below a prefix and before what comes next: "0" follows "/" in byte order. */
function behind(prefix: string): string {
  return `${prefix.slice(0, -1)}0`
}
