import { DirectoryCatalog } from '#shared/lake/iceberg/directory-catalog.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { createTable, parseMetadata, type TableMetadata, withProperties } from '#shared/lake/iceberg/table-metadata.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { type Interceptor, MemoryStore } from '#test/helpers/memory-store.ts'

const { lock } = lockedTable('t', [])
const V1 = createTable({ uuid: 'u', location: 'memory:/tables/t', lock, properties: {}, now: 1000 })
const catalogOf = (store: MemoryStore): DirectoryCatalog => new DirectoryCatalog(store, (name) => `tables/${name}`)

let store: MemoryStore
let catalog: DirectoryCatalog
beforeEach(() => {
  store = new MemoryStore()
  catalog = catalogOf(store)
})

const text = async (key: string): Promise<string> => Buffer.from((await store.get(key)) ?? []).toString()
const load = async (): Promise<LoadedTable> => {
  const loaded = await catalog.load('t')
  if (loaded === undefined) throw new Error('there is no table')
  return loaded
}
const next = (base: LoadedTable, n: number | string): TableMetadata =>
  withProperties(base.metadata, { n: String(n) }, 2000)

test('a table is created once', async () => {
  expect(await catalog.load('t')).toBeUndefined()
  expect(await catalog.create('t', V1)).toBe('committed')
  expect(await catalog.create('t', { ...V1, 'table-uuid': 'other' })).toBe('conflict')
  expect(await load()).toEqual({ metadata: V1, location: 'memory:/tables/t/metadata/v1.metadata.json', token: '1' })
  expect(catalog.locationOf('t')).toBe('memory:/tables/t')
})

test('a version follows the one that it was made of, and is where engines look for it', async () => {
  await catalog.create('t', V1)
  const base = await load()
  expect(await catalog.commit('t', base, next(base, 2))).toBe('committed')
  expect(await text('tables/t/metadata/version-hint.text')).toBe('2')
  const loaded = await load()
  expect(loaded.token).toBe('2')
  expect(loaded.metadata).toEqual(
    parseMetadata('v2', (await store.get('tables/t/metadata/v2.metadata.json')) ?? new Uint8Array()),
  )
  expect(loaded.metadata.properties['n']).toBe('2')
  expect(loaded.metadata['metadata-log']).toEqual([{ 'metadata-file': base.location, 'timestamp-ms': 1000 }])
})

test('of two versions that follow the same one, one is committed', async () => {
  await catalog.create('t', V1)
  const base = await load()
  const outcomes = await Promise.all([1, 2, 3].map((n) => catalog.commit('t', base, next(base, n))))
  expect(outcomes.toSorted()).toEqual(['committed', 'conflict', 'conflict'])
  expect(await catalog.commit('t', base, next(base, 4))).toBe('conflict')
  expect((await load()).token).toBe('2')
})

test('a put that a client sent twice is told from a lost race by what is there', async () => {
  await catalog.create('t', V1)
  const base = await load()
  const twice: Interceptor = async (call, effect) => {
    if (call.operation === 'putIfAbsent') effect()
    return effect()
  }
  expect(await catalogOf(store.through(twice)).commit('t', base, next(base, 2))).toBe('committed')
  expect((await load()).token).toBe('2')
})

test('a hint that stays behind, or was never written, is no matter', async () => {
  const dies: Interceptor = async ({ key }, effect) => {
    if (key.endsWith('version-hint.text')) throw new Error('died')
    return effect()
  }
  const dying = catalogOf(store.through(dies))
  await expect(dying.create('t', V1)).rejects.toThrow('died')
  expect((await load()).token).toBe('1')
  for (let n = 2; n <= 12; n++) {
    const base = await load()
    const writer = n % 3 === 0 ? catalog : dying
    await writer.commit('t', base, next(base, n)).catch(() => undefined)
    expect((await load()).metadata.properties['n']).toBe(String(n))
  }
  expect(await text('tables/t/metadata/version-hint.text')).toBe('12')
})

test('a writer that is slow with the hint does not set it back', async () => {
  await catalog.create('t', V1)
  const base = await load()
  // Another writer commits between the first one's metadata and its hint.
  const overtaken: Interceptor = async ({ operation, key }, effect) => {
    const answer = effect()
    if (operation === 'putIfAbsent' && key.endsWith('v2.metadata.json')) {
      const second = await load()
      await catalog.commit('t', second, next(second, 3))
    }
    return answer
  }
  expect(await catalogOf(store.through(overtaken)).commit('t', base, next(base, 2))).toBe('committed')
  expect(await text('tables/t/metadata/version-hint.text')).toBe('3')
})

test('the log keeps as many versions as the table says', async () => {
  await catalog.create('t', withProperties(V1, { 'write.metadata.previous-versions-max': '3' }, 1000))
  for (let n = 2; n <= 6; n++) {
    const base = await load()
    await catalog.commit('t', base, next(base, n))
  }
  const { metadata } = await load()
  expect(metadata['metadata-log'].map((entry) => entry['metadata-file'].slice(-16))).toEqual([
    'v3.metadata.json',
    'v4.metadata.json',
    'v5.metadata.json',
  ])
})

test('tables are apart', async () => {
  await catalog.create('t', V1)
  expect(await catalog.load('t2')).toBeUndefined()
  expect(await catalog.create('t2', V1)).toBe('committed')
})

test('metadata that is no metadata is refused, with its place', async () => {
  await store.put('tables/t/metadata/v1.metadata.json', Buffer.from('{}'))
  await expect(catalog.load('t')).rejects.toThrow('memory:/tables/t/metadata/v1.metadata.json: format-version')
})
