import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { keyFault, type ListOptions, type ObjectStore } from '#shared/lake/object-store.ts'
import { inTemporaryDirectory, temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const root = (): string => path.join(directory(), 'lake')
const openStore = (): DirectoryStore => new DirectoryStore(root())

const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)

async function keysIn(store: ObjectStore, prefix = '', options: ListOptions = {}): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, options)) keys.push(key)
  return keys
}

describe('a list', () => {
  test('is in the byte order of whole keys: "a-b" before "a/b", although "a" comes before "a-b"', async () => {
    const store = openStore()
    const keys = ['a-b', 'a/b', 'a.b', 'a0', 'a/-', 'a/b.c/d', 'A', 'é', '\uffff', '😀', 'a b']
    for (const key of keys) await store.put(key, bytes(key))
    expect(await keysIn(store)).toEqual(['A', 'a b', 'a-b', 'a.b', 'a/-', 'a/b', 'a/b.c/d', 'a0', 'é', '\uffff', '😀'])
  })

  test('gives the size of each object, and when it was put', async () => {
    const store = openStore()
    const before = Date.now()
    await store.put('a/b', bytes('four'))
    await store.put('c', bytes(''))
    const entries = []
    for await (const entry of store.list('')) entries.push(entry)
    expect(entries).toMatchObject([
      { key: 'a/b', bytes: 4 },
      { key: 'c', bytes: 0 },
    ])
    // The clock of a file system is coarser.
    for (const { modified } of entries) expect(Math.abs(modified - before)).toBeLessThan(60_000)
  })

  test('of a directory that is not there is empty', async () => {
    expect(await keysIn(openStore(), 'no/such/')).toEqual([])
  })

  test('may be left before its end', async () => {
    const store = openStore()
    for (const key of ['a', 'b', 'c']) await store.put(key, bytes(key))
    for await (const { key } of store.list('')) {
      expect(key).toBe('a')
      break
    }
    expect(await keysIn(store)).toEqual(['a', 'b', 'c'])
  })

  test('does not hold what is being written, or was when a writer died', async () => {
    const store = openStore()
    await store.put('a', bytes('a'))
    await writeFile(path.join(root(), '.scratch', 'left-behind'), 'half')
    expect(await keysIn(store)).toEqual(['a'])
    expect(await keysIn(store, '.')).toEqual([])
  })

  test('is what sorting and filtering all keys gives, whatever the prefix, the start and the limit', async () => {
    const segment = fc.string({
      unit: fc.constantFrom('a', 'b', '-', '.', '0', '~', ' ', '=', 'é', '\uffff', '😀'),
      maxLength: 3,
    })
    const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'))
    const keys = fc
      .uniqueArray(key, { maxLength: 14 })
      .map((all) => all.filter((k) => keyFault(k) === undefined && isLeaf(k, all)))
    const near = (all: string[]): fc.Arbitrary<string> =>
      fc.oneof(
        fc.constantFrom('', ...all),
        fc.constantFrom('', ...all).chain((k) => fc.nat(k.length).map((length) => wellFormed(k.slice(0, length)))),
        key,
      )
    const request = keys.chain((all) =>
      fc.record({
        all: fc.constant(all),
        prefix: near(all).filter((prefix) => isPrefix(prefix, all)),
        startAfter: fc.option(near(all), { nil: undefined }),
        limit: fc.option(fc.nat(5), { nil: undefined }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(request, ({ all, prefix, startAfter, limit }) =>
        inTemporaryDirectory(async (temporary) => {
          const store = new DirectoryStore(temporary)
          for (const each of all) await writeFileAt(path.join(temporary, each))
          const options = {
            ...(startAfter === undefined ? {} : { startAfter }),
            ...(limit === undefined ? {} : { limit }),
          }
          const expected = all
            .filter((each) => each.startsWith(prefix) && (startAfter === undefined || byteOrder(each, startAfter) > 0))
            .toSorted(byteOrder)
            .slice(0, limit)
          expect(await keysIn(store, prefix, options)).toEqual(expected)
        }),
      ),
      { numRuns: 150 },
    )
  }, 60_000)
})

/** Whether no other key lies below this one: a directory cannot be a file too. */
const isLeaf = (key: string, all: readonly string[]): boolean => !all.some((other) => other.startsWith(`${key}/`))
/** Whether a prefix has only directories that keys may have, none of which is an object. */
const isPrefix = (prefix: string, all: readonly string[]): boolean =>
  keyFault(`${prefix}x`) === undefined && !all.some((key) => prefix.startsWith(`${key}/`))
const wellFormed = (part: string): string => (part.isWellFormed() ? part : part.slice(0, -1))
const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

async function writeFileAt(file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, '')
}
