import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const root = (): string => path.join(directory(), 'lake')
const openStore = (): DirectoryStore => new DirectoryStore(root())

const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)
const textAt = async (store: ObjectStore, key: string): Promise<string | undefined> => {
  const body = await store.get(key)
  return body === undefined ? undefined : new TextDecoder().decode(body)
}

const scratchFiles = (): Promise<string[]> => readdir(path.join(root(), '.scratch'))

describe('objects', () => {
  test('are what was put last, for every store of the directory', async () => {
    const store = openStore()
    await store.put('a/b', bytes('one'))
    await store.put('a/b', bytes('two'))
    expect(await textAt(openStore(), 'a/b')).toBe('two')
    expect(await openStore().size('a/b')).toBe(3)
    expect(store.url).toBe(pathToFileURL(root()).href)
  })

  test('may be empty, which is not absent', async () => {
    const store = openStore()
    await store.put('empty', new Uint8Array())
    expect(await store.get('empty')).toHaveLength(0)
    expect(await store.size('empty')).toBe(0)
    expect(await store.get('absent')).toBeUndefined()
    expect(await store.size('absent')).toBeUndefined()
    expect(await store.get('absent/too')).toBeUndefined()
  })

  test('are gone when deleted; to delete nothing is no error', async () => {
    const store = openStore()
    await store.put('a/b', bytes('x'))
    await store.delete('a/b')
    await store.delete('a/b')
    await store.delete('never/was')
    expect(await store.get('a/b')).toBeUndefined()
    expect(await keysOf(store, '')).toEqual([])
  })

  test('are put if absent once: the second is taken and changes nothing', async () => {
    const store = openStore()
    expect(await store.putIfAbsent('a/b', bytes('first'))).toBe('created')
    expect(await store.putIfAbsent('a/b', bytes('second'))).toBe('taken')
    expect(await textAt(store, 'a/b')).toBe('first')
    await store.delete('a/b')
    expect(await store.putIfAbsent('a/b', bytes('third'))).toBe('created')
  })

  test('are read whole while they are replaced', async () => {
    const store = openStore()
    const bodies = [Buffer.alloc(1 << 18, 'a'), Buffer.alloc(1 << 20, 'b')]
    await store.put('k', bodies[0] as Buffer)
    const torn: number[] = []
    const read = async (): Promise<void> => {
      const body = Buffer.from((await store.get('k')) as Uint8Array)
      if (!bodies.some((whole) => whole.equals(body))) torn.push(body.length)
    }
    for (let i = 1; i <= 20; i++) {
      const write = store.put('k', bodies[i % 2] as Buffer)
      await Promise.all([write, read(), read().then(read), read().then(read).then(read)])
    }
    expect(torn).toEqual([])
  })
})

test('of any number of processes at most one creates a key', async () => {
  const keys = Array.from({ length: 40 }, (_, i) => `log/${i % 4}/${String(i).padStart(3, '0')}`)
  const script = path.join(projectRoot, 'test/helpers/put-if-absent.ts')
  const store = openStore()
  const writers = ['w0', 'w1', 'w2', 'w3'].map((name) => {
    const env = { ...process.env, NODE_OPTIONS: '' }
    const child = spawn(process.execPath, [script, store.url, name, ...keys], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return { name, child, ...outputOf(child.stdout) }
  })
  try {
    await Promise.all(writers.map(({ ready }) => ready))
    for (const { child } of writers) child.stdin.end()
    const winners = new Map<string, string[]>()
    for (const { name, ended } of writers) {
      for (const key of JSON.parse(await ended) as string[]) winners.set(key, [...(winners.get(key) ?? []), name])
    }
    expect([...winners.keys()].toSorted()).toEqual(keys.toSorted())
    for (const key of keys) expect(winners.get(key)).toEqual([await textAt(store, key)])
    expect(await keysOf(store, '')).toEqual(keys.toSorted())
    expect(await scratchFiles()).toEqual([])
  } finally {
    for (const { child } of writers) child.kill()
  }
}, 30_000)

/** When a writer has said that it is ready, and what it says after that until its end. */
function outputOf(stdout: Readable): { ready: Promise<void>; ended: Promise<string> } {
  let said = ''
  const ready = new Promise<void>((resolve) => {
    stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.startsWith('ready\n')) resolve()
    })
  })
  return { ready, ended: once(stdout, 'end').then(() => said.slice('ready\n'.length)) }
}

describe('a key that could leave the directory is refused by every method, and nothing is written', () => {
  const methods: Record<string, (store: ObjectStore, key: string) => Promise<unknown>> = {
    put: (store, key) => store.put(key, bytes('x')),
    putIfAbsent: (store, key) => store.putIfAbsent(key, bytes('x')),
    get: (store, key) => store.get(key),
    size: (store, key) => store.size(key),
    delete: (store, key) => store.delete(key),
    list: (store, key) => keysOf(store, `${key}/`),
  }

  test.each(['', '/', '/etc', '.', '..', '../outside', 'a/../../outside', 'a/..', './a', 'a//b', 'a/./b', 'a\0b'])(
    '%j',
    async (key) => {
      const codes = Object.values(methods).map(async (method) => method(openStore(), key).then(() => 'done', codeOf))
      expect(await Promise.all(codes)).toEqual(Object.keys(methods).map(() => 'KEY_INVALID'))
      expect(await readdir(directory())).toEqual([])
    },
  )

  test.each(['..a', '.a', '...', 'a..b/c', 'a\\..\\b', '%2e%2e', '~', '-rf', 'con:x'])(
    'but %j is a key',
    async (key) => {
      const store = openStore()
      await store.put(key, bytes('x'))
      expect(await keysOf(store, '')).toEqual([key])
      expect(await readdir(directory())).toEqual(['lake'])
    },
  )
})

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

describe('a fault of the file system is an error that says what and where', () => {
  test('a file where a directory is needed', async () => {
    const store = openStore()
    await store.put('a', bytes('x'))
    const failure = { code: 'STORE_DENIED', stage: 'store', canRetry: false }
    const message = `cannot write ${path.join(root(), 'a/b/c')}: a file is where a directory is needed`
    await expect(store.put('a/b/c', bytes('y'))).rejects.toMatchObject({ ...failure, message })
    await expect(store.putIfAbsent('a/b/c', bytes('y'))).rejects.toMatchObject({ ...failure, message })
    // One level down it is mkdir that fails, with the very code that a taken name has.
    await expect(store.put('a/b', bytes('y'))).rejects.toMatchObject(failure)
    await expect(store.putIfAbsent('a/b', bytes('y'))).rejects.toMatchObject(failure)
    expect(await keysOf(store, 'a/')).toEqual([])
  })

  test('the place of what is being written is no place for objects', async () => {
    const store = openStore()
    await store.put('a', bytes('x'))
    await writeFile(path.join(root(), '.scratch/left'), 'x')
    await expect(store.put('.scratch/x', bytes('y'))).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(store.get('.scratch/left')).rejects.toMatchObject({ code: 'KEY_INVALID' })
    expect([await keysOf(store, '.scratch/'), await keysOf(store, '.s'), await keysOf(store, '')]).toEqual([
      [],
      [],
      ['a'],
    ])
  })

  test('the whole lake is a file', async () => {
    await writeFile(root(), 'a file')
    await expect(openStore().put('a', bytes('x'))).rejects.toMatchObject({ stage: 'store' })
    await expect(keysOf(openStore(), '')).rejects.toMatchObject({ code: 'STORE_DENIED' })
  })

  test('no permission', async () => {
    const store = openStore()
    await store.put('a/b', bytes('x'))
    await chmod(path.join(root(), 'a'), 0o555)
    await chmod(directory(), 0o755)
    await asOrdinaryUser(async () => {
      await expect(store.put('a/c', bytes('y'))).rejects.toMatchObject({ code: 'STORE_DENIED', canRetry: false })
      await expect(store.delete('a/b')).rejects.toMatchObject({ code: 'STORE_DENIED' })
      await expect(store.delete('a/b')).rejects.toThrow(`cannot delete ${path.join(root(), 'a/b')}: no permission`)
    })
    await chmod(path.join(root(), 'a'), 0o755)
    expect(await textAt(store, 'a/b')).toBe('x')
  })

  test('a name that is too long', async () => {
    const long = `a/${'x'.repeat(256)}`
    await expect(openStore().put(long, bytes('x'))).rejects.toMatchObject({ code: 'KEY_INVALID' })
  })

  test('leaves nothing behind', async () => {
    const store = openStore()
    await store.put('a', bytes('x'))
    await store.put('directory/b', bytes('x'))
    const long = 'x'.repeat(256)
    for (const key of ['a/b/c', 'directory', long])
      await expect(store.put(key, bytes('y'))).rejects.toThrow('cannot write')
    for (const key of ['a/b/c', long]) await expect(store.putIfAbsent(key, bytes('y'))).rejects.toThrow('cannot write')
    expect(await store.putIfAbsent('a', bytes('y'))).toBe('taken')
    expect(await scratchFiles()).toEqual([])
    expect(await keysOf(store, '')).toEqual(['a', 'directory/b'])
  })
})

/** Root may write anywhere: for a moment the process is somebody else, if it is root. */
async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}
