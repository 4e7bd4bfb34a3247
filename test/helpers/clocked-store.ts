import type { ListOptions, ObjectEntry, ObjectStore } from '#shared/lake/object-store.ts'

/** The same store by another clock: what is put through it was put when that clock says so. */
export function clocked(store: ObjectStore, now: () => number): ObjectStore {
  const put = new Map<string, number>()
  return {
    url: store.url,
    async put(key, body) {
      await store.put(key, body)
      put.set(key, now())
    },
    async putIfAbsent(key, body) {
      const answer = await store.putIfAbsent(key, body)
      if (answer === 'created') put.set(key, now())
      return answer
    },
    get: (key) => store.get(key),
    size: (key) => store.size(key),
    delete: (key) => store.delete(key),
    async *list(prefix: string, options?: ListOptions): AsyncIterable<ObjectEntry> {
      for await (const entry of store.list(prefix, options))
        yield { ...entry, modified: put.get(entry.key) ?? entry.modified }
    },
  }
}
