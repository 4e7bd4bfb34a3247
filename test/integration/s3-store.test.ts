import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import * as fc from 'fast-check'
import type { ObjectEntry } from '#shared/lake/object-store.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { FaultProxy } from '#test/helpers/fault-proxy.ts'
import { Ministack, START_TIMEOUT_MS } from '#test/helpers/ministack.ts'

let s3: Ministack
let proxy: FaultProxy
let folders = 0

beforeAll(async () => {
  s3 = await Ministack.start()
  proxy = await FaultProxy.start(s3.endpoint)
  await s3.createBucket('lake')
}, START_TIMEOUT_MS)

afterAll(async () => {
  await proxy?.close()
  await s3?.stop()
})

beforeEach(() => {
  folders += 1
  proxy.plan = () => undefined
})

/** A prefix that no other test uses. */
const folder = (): string => `s3://lake/test-${folders}/below`
const open = (url = folder()): S3Store => new S3Store(url, { client: s3.client() })
const bytes = (text: string): Uint8Array => Buffer.from(text)
const textAt = async (store: S3Store, key: string): Promise<string> =>
  Buffer.from((await store.get(key)) ?? []).toString()

async function listed(list: AsyncIterable<ObjectEntry>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}

describe('one object', () => {
  test.each([
    ['every byte', Uint8Array.from({ length: 256 }, (_, i) => i)],
    ['none', new Uint8Array()],
    ['a part of a larger buffer', Uint8Array.from({ length: 300 }, (_, i) => i).subarray(17, 211)],
    ['4 MiB', Uint8Array.from({ length: 4 << 20 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 24)],
  ])('is read as it was put: %s', async (_, body) => {
    const store = open()
    await store.put('data/a', body)
    const read = await store.get('data/a')
    expect(Buffer.compare(read ?? Buffer.from('nothing'), body)).toBe(0)
    expect(await store.size('data/a')).toBe(body.length)
  })

  test('is replaced by a put, not by a put if absent', async () => {
    const store = open()
    await store.put('a', bytes('first'))
    expect(await store.putIfAbsent('a', bytes('second'))).toBe('taken')
    expect(await textAt(store, 'a')).toBe('first')
    await store.put('a', bytes('third'))
    expect(await textAt(store, 'a')).toBe('third')
    expect(await store.putIfAbsent('b', bytes('fourth'))).toBe('created')
    expect(await textAt(store, 'b')).toBe('fourth')
  })

  test('is not there before it is put nor after it is deleted, which may be done twice', async () => {
    const store = open()
    await store.put('a/b', bytes('below'))
    for (const absent of ['a', 'a/b/c', 'c']) {
      expect(await store.get(absent)).toBeUndefined()
      expect(await store.size(absent)).toBeUndefined()
    }
    await store.delete('a/b')
    await store.delete('a/b')
    expect(await store.get('a/b')).toBeUndefined()
    expect(await store.putIfAbsent('a/b', bytes('again'))).toBe('created')
  })

  test.each(['', '/a', 'a/', 'a//b', '.', 'a/../b', 'a\0b', 'half \ud800 a pair', 'ä'.repeat(510)])(
    'cannot be at %j',
    async (key) => {
      const store = open()
      const invalid = { code: 'KEY_INVALID', stage: 'store', canRetry: false }
      const refused = expect.objectContaining(invalid) as unknown
      await expect(store.put(key, bytes('x'))).rejects.toEqual(refused)
      await expect(store.putIfAbsent(key, bytes('x'))).rejects.toEqual(refused)
      await expect(store.get(key)).rejects.toEqual(refused)
      await expect(store.size(key)).rejects.toEqual(refused)
      await expect(store.delete(key)).rejects.toEqual(refused)
    },
  )
})

describe('put if absent, by many at once', () => {
  test('gives each key to exactly one writer, whose body it keeps', async () => {
    const stores = Array.from({ length: 8 }, () => open())
    const keys = Array.from({ length: 12 }, (_, i) => `k${i}`)
    const results = await Promise.all(
      stores.map((store, writer) => Promise.all(keys.map((key) => store.putIfAbsent(key, bytes(String(writer)))))),
    )
    for (const [i, key] of keys.entries()) {
      const winners = results.flatMap((result, writer) => (result[i] === 'created' ? [String(writer)] : []))
      expect(winners).toEqual([await textAt(open(), key)])
    }
  })

  test('also to writers in processes of their own, with a client from the environment', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    const names = ['anna', 'berta', 'carla', 'dora']
    const processes = names.map((name) => startWriter([folder(), name, ...keys]))
    await Promise.all(processes.map(({ stdout }) => once(stdout, 'data')))
    const results = await Promise.all(processes.map(finish))
    const owners = new Map<string, string>()
    for (const [i, created] of results.entries()) {
      for (const key of created) {
        expect(owners.get(key)).toBeUndefined()
        owners.set(key, names[i] ?? '')
      }
    }
    expect([...owners.keys()].sort()).toEqual([...keys].sort())
    for (const [key, name] of owners) expect(await textAt(open(), key)).toBe(name)
  })
})

type Writer = ChildProcessByStdio<Writable, Readable, null>

function startWriter(args: readonly string[]): Writer {
  const script = path.join(projectRoot, 'test/helpers/put-if-absent.ts')
  const env = { PATH: process.env['PATH'], ...s3.environment() }
  return spawn(process.execPath, [script, ...args], { cwd: projectRoot, env, stdio: ['pipe', 'pipe', 'inherit'] })
}

async function finish({ stdin, stdout }: Writer): Promise<string[]> {
  let printed = ''
  stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  stdin.end()
  await once(stdout, 'end')
  return JSON.parse(printed) as string[]
}

describe('list', () => {
  /** Where byte order and other orders differ, and what XML and URLs would spoil. */
  const character = fc.constantFrom(...Array.from('ab/-=%+ &<"é～😀\u0001\r'))
  const segment = fc.string({ unit: character, minLength: 1, maxLength: 3 })
  const name = segment.filter((text) => !text.split('/').some((part) => ['', '.', '..'].includes(part)))
  const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

  test('is what a sorted array says, with any prefix, start and limit, in pages of any length', async () => {
    const client = s3.client({ endpoint: proxy.endpoint })
    let lakes = 0
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { maxLength: 12 }),
        fc.array(fc.tuple(fc.string({ unit: character, maxLength: 2 }), fc.option(name), fc.option(fc.nat(13))), {
          minLength: 8,
          maxLength: 8,
        }),
        async (keys, questions) => {
          const store = new S3Store(`${folder()}/${lakes++}`, { client })
          await Promise.all(keys.map((key) => store.put(key, bytes(key))))
          proxy.plan = () => 'shortPage'
          for (const [prefix, startAfter, limit] of questions) {
            const expected = keys
              .filter((key) => key.startsWith(prefix) && (startAfter === null || byteOrder(key, startAfter) > 0))
              .sort(byteOrder)
              .slice(0, limit ?? keys.length)
            const options = { ...(startAfter === null ? {} : { startAfter }), ...(limit === null ? {} : { limit }) }
            const found: ObjectEntry[] = []
            for await (const entry of store.list(prefix, options)) found.push(entry)
            expect(found).toEqual(
              expected.map((key) => ({ key, bytes: Buffer.byteLength(key), modified: expect.any(Number) })),
            )
          }
        },
      ),
      { numRuns: 25 },
    )
    expect(proxy.faults.get('shortPage')).toBeGreaterThan(100)
  })

  test('asks for no more than it is to give: one key is one request', async () => {
    const store = new S3Store(folder(), { client: s3.client({ endpoint: proxy.endpoint }) })
    for (const key of ['a/1', 'a/2', 'a/3', 'b/1']) await store.put(key, bytes(key))
    const queries: URLSearchParams[] = []
    proxy.plan = ({ url = '' }) => {
      queries.push(new URL(url, s3.endpoint).searchParams)
      return undefined
    }
    expect(await listed(store.list('a/', { startAfter: 'a/1', limit: 1 }))).toEqual(['a/2'])
    expect(queries.map((query) => query.get('max-keys'))).toEqual(['1'])
    expect(await listed(store.list('a/', { limit: 0 }))).toEqual([])
    expect(queries).toHaveLength(1)
  })

  test('keeps to its prefix: neighbours with longer names are others', async () => {
    const [lake, other, whole] = [open(), open(`${folder()}-other`), open('s3://lake')]
    await lake.put('a', bytes('ours'))
    await other.put('a', bytes('theirs'))
    expect(await listed(lake.list(''))).toEqual(['a'])
    expect(await textAt(lake, 'a')).toBe('ours')
    expect(await textAt(whole, `test-${folders}/below/a`)).toBe('ours')
    expect(await listed(whole.list(`test-${folders}/`))).toEqual(
      ['below-other/a', 'below/a'].map((key) => `test-${folders}/${key}`),
    )
  })

  test('leaves out what other tools put to show a folder, and counts only what it gives', async () => {
    const store = open()
    const client = s3.client()
    for (const marker of ['', 'a/', 'a/b/'])
      await client.send(
        new PutObjectCommand({ Bucket: 'lake', Key: `test-${folders}/below/${marker}`, Body: bytes('') }),
      )
    for (const key of ['a/1', 'a/b/1', 'a/b/2']) await store.put(key, bytes(key))
    expect(await listed(store.list(''))).toEqual(['a/1', 'a/b/1', 'a/b/2'])
    expect(await listed(store.list('a/b/', { limit: 1 }))).toEqual(['a/b/1'])
  })
})
