import fc from 'fast-check'
import type { ListOptions, ObjectEntry, ObjectStore } from '#shared/lake/object-store.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { Bucket } from '#test/helpers/simulation/bucket.ts'

type Step =
  | { readonly do: 'put' | 'putIfAbsent'; readonly key: string; readonly bytes: number }
  | { readonly do: 'get' | 'size' | 'delete'; readonly key: string }
  | { readonly do: 'list'; readonly prefix: string; readonly options: ListOptions }

/** Few names, so that steps meet; characters whose order in UTF-16 is not that of their bytes. */
const segment = fc.constantFrom('a', 'ab', 'b', '0', 'é', '\uffee', '😀', 'a.b')
const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('put' as const, 'putIfAbsent' as const), key, bytes: fc.nat(9) }),
  fc.record({ do: fc.constantFrom('get' as const, 'size' as const, 'delete' as const), key }),
  fc.record({
    do: fc.constant('list' as const),
    prefix: fc.oneof(
      fc.constant(''),
      key,
      key.map((text) => `${text}/`),
    ),
    options: fc.record({ startAfter: key, limit: fc.nat(5) }, { requiredKeys: [] }),
  }),
)

/** @returns what the store answers; for a body its length */
async function ask(store: ObjectStore, asked: Step): Promise<unknown> {
  switch (asked.do) {
    case 'list': {
      const found: Omit<ObjectEntry, 'modified'>[] = []
      for await (const { modified: _, ...entry } of store.list(asked.prefix, asked.options)) found.push(entry)
      return found
    }
    case 'put':
    case 'putIfAbsent':
      return store[asked.do](asked.key, new Uint8Array(asked.bytes))
    case 'get':
      return (await store.get(asked.key))?.length
    case 'size':
    case 'delete':
      return store[asked.do](asked.key)
  }
}

/** The same of sizes by key. */
function expected(sizes: Map<string, number>, asked: Step): unknown {
  switch (asked.do) {
    case 'list': {
      const { startAfter, limit } = asked.options
      return [...sizes.keys()]
        .filter(
          (name) => name.startsWith(asked.prefix) && (startAfter === undefined || byteOrder(name, startAfter) > 0),
        )
        .sort(byteOrder)
        .slice(0, limit)
        .map((name) => ({ key: name, bytes: sizes.get(name) }))
    }
    case 'put':
      sizes.set(asked.key, asked.bytes)
      return undefined
    case 'putIfAbsent':
      if (sizes.has(asked.key)) return 'taken'
      sizes.set(asked.key, asked.bytes)
      return 'created'
    case 'get':
    case 'size':
      return sizes.get(asked.key)
    case 'delete':
      sizes.delete(asked.key)
      return undefined
  }
}

const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const STORES: readonly [name: string, make: (pageSize: number) => ObjectStore][] = [
  ['a store in memory', (pageSize) => new MemoryStore(pageSize)],
  [
    'the S3 store on a simulated bucket',
    (pageSize) => new S3Store('s3://lake', { client: new Bucket(pageSize).client() }),
  ],
]

test.each(STORES)('%s is a map whose keys are listed in byte order, whatever the size of pages', async (_, make) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (steps, pageSize) => {
      const store = make(pageSize)
      const sizes = new Map<string, number>()
      for (const asked of steps) expect(await ask(store, asked)).toEqual(expected(sizes, asked))
    }),
    { numRuns: 200 },
  )
})

test('keeps what was put, whatever becomes of the buffer', async () => {
  const store = new MemoryStore()
  const body = Buffer.from('first')
  await Promise.all([store.put('a', body), store.putIfAbsent('b', body)])
  body.fill('x')
  expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe('first')
  expect(Buffer.from((await store.get('b')) ?? []).toString()).toBe('first')
})

test.each(['', '/a', 'a/', 'a//b', 'a/../b', './a', 'a\0b'])('refuses the key %j', async (bad) => {
  const store = new MemoryStore()
  const refused = expect.objectContaining({ code: 'KEY_INVALID' })
  await expect(store.put(bad, new Uint8Array())).rejects.toEqual(refused)
  await expect(store.putIfAbsent(bad, new Uint8Array())).rejects.toEqual(refused)
  await expect(store.get(bad)).rejects.toEqual(refused)
  await expect(store.size(bad)).rejects.toEqual(refused)
  await expect(store.delete(bad)).rejects.toEqual(refused)
})

test('an interceptor sees each call, each page of a list, and decides when the effect takes place', async () => {
  const store = new MemoryStore(2)
  const calls: string[] = []
  const slow = store.through(async (call, effect) => {
    calls.push(`${call.operation} ${call.key}`)
    await Promise.resolve()
    return effect()
  })
  const put = slow.put('k/1', new Uint8Array(1))
  expect(await store.size('k/1')).toBeUndefined()
  await put
  expect(await store.size('k/1')).toBe(1)
  await slow.put('k/2', new Uint8Array())
  await slow.put('k/3', new Uint8Array())
  calls.length = 0
  // A page is true when it is asked for: what comes in between is on the next.
  const found: string[] = []
  for await (const entry of slow.list('k/')) {
    found.push(entry.key)
    if (entry.key === 'k/2') await store.put('k/4', new Uint8Array())
  }
  expect(found).toEqual(['k/1', 'k/2', 'k/3', 'k/4'])
  expect(calls).toEqual(['list k/', 'list k/'])
})
