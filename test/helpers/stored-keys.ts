import type { ObjectStore } from '#shared/lake/object-store.ts'

/** The keys below a prefix, in their order. */
export async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys
}
