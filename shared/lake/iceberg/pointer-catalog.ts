/**
 * Tables whose current version a service names: it keeps the URI of each table's metadata, and replaces it if nobody else has
 * (specification, "Metastore Tables"). Each version is an object of a name of its own, `metadata/00007-<uuid>.metadata.json`.
 */
import { randomUUID } from 'node:crypto'
import { InletError } from '#shared/pipeline/errors.ts'
import type { LocatedStore } from './located-store.ts'
import { type CommitOutcome, following, type LoadedTable, type TableCatalog } from './table-catalog.ts'
import { encodeMetadata, parseMetadata, type TableMetadata } from './table-metadata.ts'

/** What a service says of a table. */
export interface TablePointer {
  /** URI of the current metadata. */
  readonly location: string
  /** What the service knows this state of the table by: another one after each change. */
  readonly token: string
}

/**
 * A service that keeps pointers. Both of its changes answer `conflict` when somebody else was first, or may have been: it may be
 * the answer to a request that the client has sent for the second time. When one throws, it may have been done or not.
 */
export interface PointerService<P extends TablePointer> {
  /** @returns undefined when there is no such table, or when it has no metadata yet */
  find(table: string): Promise<P | undefined>
  /** Gives a table that is not there its first metadata. */
  place(table: string, location: string, metadata: TableMetadata): Promise<CommitOutcome>
  /** Gives a table other metadata, if it is still as it was found. */
  move(table: string, from: P, location: string, metadata: TableMetadata): Promise<CommitOutcome>
}

export class PointerCatalog<P extends TablePointer> implements TableCatalog {
  readonly #pointers: PointerService<P>
  readonly #filesAt: (location: string) => LocatedStore

  /** @param filesAt where the object of a URI is */
  constructor(pointers: PointerService<P>, filesAt: (location: string) => LocatedStore) {
    this.#pointers = pointers
    this.#filesAt = filesAt
  }

  async load(table: string): Promise<LoadedTable | undefined> {
    const pointer = await this.#pointers.find(table)
    if (pointer === undefined) return undefined
    const { location, token } = pointer
    return { metadata: parseMetadata(location, await this.#filesAt(location).read(location)), location, token }
  }

  async create(table: string, metadata: TableMetadata): Promise<CommitOutcome> {
    const location = await this.#write(0, metadata)
    return settle(
      () => this.#pointers.place(table, location, metadata),
      async () => {
        const there = await this.load(table)
        if (there === undefined) return undefined
        // An id is given once: the table that has it is this one, whatever it has become since.
        return there.metadata['table-uuid'] === metadata['table-uuid'] ? 'committed' : 'conflict'
      },
    )
  }

  async commit(table: string, base: LoadedTable, metadata: TableMetadata): Promise<CommitOutcome> {
    const found = await this.#pointers.find(table)
    // A table that was dropped and made anew may have come to the same token.
    if (found?.token !== base.token || found.location !== base.location) return 'conflict'
    const next = following(base, metadata)
    const location = await this.#write(numberOf(base.location) + 1, next)
    return settle(
      () => this.#pointers.move(table, found, location, next),
      async () => outcomeIn(await this.load(table), base, location),
    )
  }

  /** @returns the URI of the object, which nothing names yet */
  async #write(number: number, metadata: TableMetadata): Promise<string> {
    const location = `${metadata.location}/metadata/${String(number).padStart(5, '0')}-${randomUUID()}.metadata.json`
    await this.#filesAt(location).put(location, encodeMetadata(metadata))
    return location
  }
}

const NUMBERED = /\/v?(?<number>\d+)[-.][^/]*$/

/** The number of a version, by the name of its object; −1 when the name has none. */
function numberOf(location: string): number {
  return Number(NUMBERED.exec(location)?.groups?.['number'] ?? -1)
}

/**
 * Makes a change, and looks what became of it when its answer does not say.
 * @param look undefined: nothing has become of it so far
 */
async function settle(
  change: () => Promise<CommitOutcome>,
  look: () => Promise<CommitOutcome | undefined>,
): Promise<CommitOutcome> {
  let answer: CommitOutcome
  try {
    answer = await change()
  } catch (error) {
    const seen = await look().catch(() => undefined)
    // The request may still be under way.
    if (seen === undefined) throw error
    return seen
  }
  return answer === 'committed' ? answer : ((await look()) ?? 'conflict')
}

/** What became of a version, as the log of the current one tells. @returns undefined while the table is as it was */
function outcomeIn(now: LoadedTable | undefined, base: LoadedTable, location: string): CommitOutcome | undefined {
  if (now === undefined || now.metadata['table-uuid'] !== base.metadata['table-uuid']) return 'conflict'
  const versions = new Set([now.location, ...now.metadata['metadata-log'].map((entry) => entry['metadata-file'])])
  if (versions.has(location)) return 'committed'
  if (now.token === base.token) return undefined
  if (versions.has(base.location)) return 'conflict'
  throw new InletError(
    'STORE_UNAVAILABLE',
    `cannot tell whether ${location} was part of ${now.metadata.location}: its log does not go back to ${base.location} any more`,
  )
}
