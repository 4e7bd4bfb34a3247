import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ErrorCode, InletError } from '#shared/pipeline/errors.ts'
import { keyFault, type ListOptions, type ObjectEntry, type ObjectStore } from './object-store.ts'

/** Files that are being written; never listed. */
const SCRATCH = '.scratch'

/**
 * An object store in a directory, safe between processes: an object appears whole or not at all, and is on the disk
 * (fsync of file and directory) before a put returns. `putIfAbsent` is a hard link, which POSIX makes exclusive.
 */
export class DirectoryStore implements ObjectStore {
  readonly url: string
  readonly #root: string

  constructor(root: string) {
    this.#root = path.resolve(root)
    this.url = pathToFileURL(this.#root).href
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.#guard('write', key, async (file) => {
      await this.#publish(file, body, (scratch) => rename(scratch, file))
    })
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'taken'> {
    return this.#guard('write', key, async (file) => {
      let answer: 'created' | 'taken' = 'created'
      await this.#publish(file, body, async (scratch) => {
        try {
          await link(scratch, file)
        } catch (error) {
          if (codeOf(error) !== 'EEXIST') throw error
          answer = 'taken'
        }
        await unlink(scratch)
      })
      return answer
    })
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#guard('read', key, (file) => orNone(readFile(file)))
  }

  async size(key: string): Promise<number | undefined> {
    return (await this.#stat(key))?.size
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectEntry> {
    const { startAfter, limit = Number.POSITIVE_INFINITY } = options
    const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    if (directory.startsWith(`${SCRATCH}/`)) return
    let listed = 0
    for await (const key of this.#walk(directory, prefix, startAfter)) {
      if (listed >= limit) return
      const object = await this.#stat(key)
      if (object === undefined) continue
      listed += 1
      yield { key, bytes: object.size, modified: object.mtimeMs }
    }
  }

  #stat(key: string): Promise<Stats | undefined> {
    return this.#guard('read', key, (file) => orNone(stat(file)))
  }

  async delete(key: string): Promise<void> {
    await this.#guard('delete', key, (file) => orNone(unlink(file)))
  }

  /** Keys below a directory in the byte order of whole keys: a directory sorts as its name and a slash. */
  async *#walk(directory: string, prefix: string, startAfter: string | undefined): AsyncIterable<string> {
    const entries = await this.#guard('list', directory, (folder) =>
      // Below an object there is nothing; only the lake itself must not be one.
      orNone(readdir(folder, { withFileTypes: true }), directory === '' ? ['ENOENT'] : ['ENOENT', 'ENOTDIR']),
    )
    const names = (entries ?? [])
      .filter((entry) => directory !== '' || entry.name !== SCRATCH)
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort(byteOrder)
    for (const name of names) {
      const key = `${directory}${name}`
      if (!key.startsWith(prefix)) continue
      if (name.endsWith('/')) {
        const wholeIsBefore = startAfter !== undefined && byteOrder(key, startAfter) < 0 && !startAfter.startsWith(key)
        if (!wholeIsBefore) yield* this.#walk(key, prefix, startAfter)
      } else if (startAfter === undefined || byteOrder(key, startAfter) > 0) {
        yield key
      }
    }
  }

  /** Writes to a scratch file, then lets `place` move it to its name, and syncs both. */
  async #publish(file: string, body: Uint8Array, place: (scratch: string) => Promise<void>): Promise<void> {
    const scratch = path.join(this.#root, SCRATCH, randomUUID())
    await makeDirectory(path.dirname(scratch))
    await makeDirectory(path.dirname(file))
    try {
      await withHandle(await open(scratch, 'wx'), async (handle) => {
        await handle.writeFile(body)
        await handle.sync()
      })
      await place(scratch)
    } catch (error) {
      await orNone(unlink(scratch))
      throw error
    }
    await syncDirectory(path.dirname(file))
  }

  async #guard<T>(
    doing: 'read' | 'write' | 'list' | 'delete',
    key: string,
    work: (file: string) => Promise<T>,
  ): Promise<T> {
    const fault = doing === 'list' ? directoryFault(key) : (keyFault(key) ?? scratchFault(key))
    if (fault !== undefined) throw new InletError('KEY_INVALID', `cannot ${doing} ${JSON.stringify(key)}: ${fault}`)
    const file = path.join(this.#root, key)
    try {
      return await work(file)
    } catch (error) {
      throw storeError(error, `cannot ${doing} ${file}`)
    }
  }
}

/** @param directory with its slash, or empty for all */
function directoryFault(directory: string): string | undefined {
  return directory === '' ? undefined : keyFault(directory.slice(0, -1))
}

function scratchFault(key: string): string | undefined {
  return key.startsWith(`${SCRATCH}/`) ? 'that is where files are written before they have a name' : undefined
}

/** The one place where faults of the file system become errors of the store. */
function storeError(error: unknown, message: string): InletError {
  const codes: Record<string, [ErrorCode, string]> = {
    EACCES: ['STORE_DENIED', 'no permission'],
    EPERM: ['STORE_DENIED', 'not permitted'],
    EROFS: ['STORE_DENIED', 'the file system is read-only'],
    ENOSPC: ['STORE_FULL', 'the disk is full'],
    EDQUOT: ['STORE_FULL', 'the disk quota is used up'],
    ENAMETOOLONG: ['KEY_INVALID', 'the name is too long for this file system'],
    ENOTDIR: ['STORE_DENIED', 'a file is where a directory is needed'],
    EEXIST: ['STORE_DENIED', 'a file is where a directory is needed'],
    EISDIR: ['STORE_DENIED', 'a directory is where a file is needed'],
  }
  const code = codeOf(error)
  const [known, reason] = codes[code] ?? ['STORE_UNAVAILABLE', error instanceof Error ? error.message : String(error)]
  return new InletError(known, `${message}: ${reason}`, { cause: error })
}

/** Creates a directory and what is above it, and syncs the parents so that the new names survive a power cut. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = path.dirname(made))
    await syncDirectory(path.dirname(made))
}

async function syncDirectory(directory: string): Promise<void> {
  await withHandle(await open(directory, 'r'), (handle) => handle.sync())
}

async function withHandle(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle)
  } finally {
    await handle.close()
  }
}

/** @param codes the errors that mean there is no such thing */
async function orNone<T>(work: Promise<T>, codes: readonly string[] = ['ENOENT']): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codes.includes(codeOf(error))) return undefined
    throw error
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
