import type { ListOptions, ObjectEntry, ObjectStore } from '#shared/lake/object-store.ts'

/**
 * A store as a process sees it that is killed at one of its calls: so many are answered, the next is not, and no later one
 * is made.
 * @param isDone whether the call at which it dies takes effect
 */
export function dying(store: ObjectStore, calls: number, isDone: boolean): ObjectStore {
  let left = calls
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    left -= 1
    if (left >= 0) return work()
    if (left === -1 && isDone) await work()
    throw new Error('the process was killed')
  }
  return {
    url: store.url,
    put: (key, body) => call(() => store.put(key, body)),
    putIfAbsent: (key, body) => call(() => store.putIfAbsent(key, body)),
    get: (key) => call(() => store.get(key)),
    size: (key) => call(() => store.size(key)),
    delete: (key) => call(() => store.delete(key)),
    async *list(prefix: string, options?: ListOptions): AsyncIterable<ObjectEntry> {
      for await (const entry of store.list(prefix, options)) {
        await call(async () => undefined)
        yield entry
      }
    },
  }
}
