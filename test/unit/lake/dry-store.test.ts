import { DryStore } from '#shared/lake/dry-store.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const body = (text: string): Uint8Array => Buffer.from(text)

test('reads are those of the store; writes are seen, answered as the store would, and leave nothing', async () => {
  const store = new MemoryStore()
  await store.put('a/1', body('one'))
  await store.put('a/2', body('two'))
  const seen: [string, string][] = []
  const dry = new DryStore(store, async (key, written) => void seen.push([key, Buffer.from(written).toString()]))

  await dry.put('a/1', body('other'))
  await dry.put('b', body('new'))
  expect(await dry.putIfAbsent('a/2')).toBe('taken')
  expect(await dry.putIfAbsent('c')).toBe('created')
  await dry.delete()

  expect(seen).toEqual([
    ['a/1', 'other'],
    ['b', 'new'],
  ])
  expect(await keysOf(store, '')).toEqual(['a/1', 'a/2'])
  expect(await keysOf(dry, 'a/')).toEqual(['a/1', 'a/2'])
  expect(Buffer.from((await dry.get('a/1')) ?? []).toString()).toBe('one')
  expect([await dry.get('b'), await dry.size('a/2'), dry.url]).toEqual([undefined, 3, store.url])
})
