import { PresentFiles } from '#shared/lake/verify/present-files.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { range } from '#test/helpers/slices.ts'

const fileOf = (i: number): string => `tables/t/data/day=${i % 7}/file-${i}.parquet`

async function storeOf(count: number): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (let i = 0; i < count; i++) await store.put(fileOf(i), Buffer.alloc(i % 5))
  return store
}

async function orphansOf(present: PresentFiles): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of present.orphans()) keys.push(key)
  return keys.sort()
}

test('only data files of tables count', async () => {
  const store = await storeOf(3)
  for (const key of ['tables/t/metadata/v1.json', 'tables/t/data.parquet', 'tables/data/x', 'log/p/data/x'])
    await store.put(key, Buffer.alloc(1))
  const present = await PresentFiles.of(store)
  expect(present.count).toBe(3)
  expect(await orphansOf(present)).toEqual([fileOf(0), fileOf(1), fileOf(2)])
})

test('what was named is no orphan, whatever its order', async () => {
  const present = await PresentFiles.of(await storeOf(5000))
  const named = range(0, 4999).filter((i) => i !== 17 && i !== 4000)
  for (const i of named.reverse()) expect(await present.name(fileOf(i), i % 5)).toBe(i % 5)
  expect(await orphansOf(present)).toEqual([fileOf(17), fileOf(4000)].sort())
})

test('what is there as it should be costs no call, and no second listing', async () => {
  const store = await storeOf(100)
  const calls: string[] = []
  const watched = store.through(async ({ operation }, effect) => {
    calls.push(operation)
    return effect()
  })
  const present = await PresentFiles.of(watched)
  for (let i = 0; i < 100; i++) await present.name(fileOf(i), i % 5)
  expect(await orphansOf(present)).toEqual([])
  expect(calls).toEqual(['list'])
})

test('another size is told, and the file is no orphan', async () => {
  const store = await storeOf(3)
  const present = await PresentFiles.of(store)
  expect(await present.name(fileOf(2), 77)).toBe(2)
  expect(await orphansOf(present)).toEqual([fileOf(0), fileOf(1)])
})

test('a missing file, and one that was written after the listing', async () => {
  const store = await storeOf(1)
  const present = await PresentFiles.of(store)
  await store.put(fileOf(8), Buffer.alloc(3))
  expect(await present.name(fileOf(7), 1)).toBeUndefined()
  expect(await present.name(fileOf(8), 3)).toBe(3)
  expect(await orphansOf(present)).toEqual([fileOf(0)])
})

test('naming one twice does not hide an orphan', async () => {
  const present = await PresentFiles.of(await storeOf(2))
  await present.name(fileOf(0), 0)
  await present.name(fileOf(0), 0)
  expect(await orphansOf(present)).toEqual([fileOf(1)])
})
