import { createHash } from 'node:crypto'
import { TABLES_ROOT } from '#shared/lake/log-keys.ts'
import type { ObjectEntry, ObjectStore } from '#shared/lake/object-store.ts'

const DATA_FILE = new RegExp(`^${TABLES_ROOT}[^/]+/data/`)

/**
 * Which data files there are, and which of them were named.
 *
 * Files are listed by table partition and named by commit: the two orders have nothing in common, so one side must be
 * remembered. Eight bytes and a bit for each file do, a digest of key and size in an ascending array: a lake of ten million
 * files takes 81 MB, and that a file is missing goes unnoticed once in 10¹² times. What is named as it was listed costs no
 * call; only for others is the store asked. The keys of orphans, which are few, are listed a second time.
 */
export class PresentFiles {
  readonly #store: ObjectStore
  readonly #digests: BigUint64Array
  readonly #named: Uint8Array
  #unnamed: number

  /** Lists the data files. */
  static async of(store: ObjectStore): Promise<PresentFiles> {
    let digests = new BigUint64Array(1024)
    let count = 0
    for await (const { key, bytes } of dataFiles(store)) {
      if (count === digests.length) digests = enlarged(digests)
      digests[count++] = digestOf(key, bytes)
    }
    return new PresentFiles(store, digests.subarray(0, count).sort())
  }

  private constructor(store: ObjectStore, digests: BigUint64Array) {
    this.#store = store
    this.#digests = digests
    this.#named = new Uint8Array(Math.ceil(digests.length / 8))
    this.#unnamed = digests.length
  }

  get count(): number {
    return this.#digests.length
  }

  /**
   * Notes that a commit names a file.
   * @param bytes the size it should have
   * @returns the size it has; undefined when it is missing
   */
  async name(key: string, bytes: number): Promise<number | undefined> {
    if (this.#note(key, bytes)) return bytes
    // It was written or changed after the listing, or has another size, or is missing.
    const size = await this.#store.size(key)
    if (size !== undefined) this.#note(key, size)
    return size
  }

  /** The files that were listed and not named. */
  async *orphans(): AsyncIterable<ObjectEntry> {
    if (this.#unnamed === 0) return
    for await (const file of dataFiles(this.#store)) {
      const at = this.#indexOf(digestOf(file.key, file.bytes))
      if (at !== undefined && !this.#isNamed(at)) yield file
    }
  }

  /** @returns whether it was listed */
  #note(key: string, bytes: number): boolean {
    const at = this.#indexOf(digestOf(key, bytes))
    if (at === undefined) return false
    if (!this.#isNamed(at)) this.#unnamed -= 1
    this.#named[at >> 3] = (this.#named[at >> 3] ?? 0) | (1 << (at & 7))
    return true
  }

  #isNamed(at: number): boolean {
    return ((this.#named[at >> 3] ?? 0) & (1 << (at & 7))) !== 0
  }

  #indexOf(digest: bigint): number | undefined {
    let low = 0
    let high = this.#digests.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#digests[middle] as bigint) < digest) low = middle + 1
      else high = middle
    }
    return this.#digests[low] === digest ? low : undefined
  }
}

async function* dataFiles(store: ObjectStore): AsyncIterable<ObjectEntry> {
  for await (const file of store.list(TABLES_ROOT)) if (DATA_FILE.test(file.key)) yield file
}

function digestOf(key: string, bytes: number): bigint {
  return createHash('sha256').update(`${bytes} ${key}`).digest().readBigUInt64LE()
}

function enlarged(digests: BigUint64Array): BigUint64Array<ArrayBuffer> {
  const larger = new BigUint64Array(2 * digests.length)
  larger.set(digests)
  return larger
}
