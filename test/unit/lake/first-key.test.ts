import { firstKey } from '#shared/lake/first-key.ts'
import { tableFolders } from '#shared/lake/table-folders.ts'
import { tableOwners } from '#shared/lake/table-owners.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'

let store: MemoryStore
let lists = 0

beforeEach(() => {
  lists = 0
  store = new MemoryStore().through(({ operation }, effect) => {
    if (operation === 'list') lists += 1
    return Promise.resolve(effect())
  })
})

async function put(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await store.put(key, new Uint8Array())
}

test('the first key below a prefix, or behind another key', async () => {
  await put('a/2', 'a/1', 'b/0')
  expect(await firstKey(store, 'a/')).toBe('a/1')
  expect(await firstKey(store, 'a/', 'a/1')).toBe('a/2')
  expect(await firstKey(store, 'a/', 'a/2')).toBeUndefined()
})

test('the folders of tables: a list for each, however many files they have, and what lies beside them is none', async () => {
  // "-" and "." sort before "/", "0" behind it.
  for (const table of ['a', 'a-b', 'a.b', 'a0', 'b'])
    for (let file = 0; file < 20; file++) await put(`tables/${table}/data/day=1/${file}.parquet`)
  await put('tables/README.md', 'tables/a-', 'log/x/y')
  const found: string[] = []
  for await (const table of tableFolders(store)) found.push(table)
  expect(found.sort()).toEqual(['a', 'a-b', 'a.b', 'a0', 'b'])
  // One for each table and for each of the two files, and one that finds nothing more.
  expect(lists).toBe(8)
})

test('the tables that have marks, each once', async () => {
  for (const name of ['1.json', '2.json', 'table.json'])
    await put(`marks/flights/g0/flights/${name}`, `marks/flights/g1/flights/${name}`, `marks/shop/g0/clicks/${name}`)
  await put('marks/README.md')
  const found: unknown[] = []
  for await (const owner of tableOwners(store)) found.push(owner)
  expect(found).toEqual([
    { pipeline: 'flights', generation: 0, table: 'flights' },
    { pipeline: 'flights', generation: 1, table: 'flights' },
    { pipeline: 'shop', generation: 0, table: 'clicks' },
  ])
  expect(lists).toBe(5)
})
