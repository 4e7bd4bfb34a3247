import { pMapIterable } from 'p-map'
import { InletError } from '#shared/pipeline/errors.ts'
import { firstKey, foldersBelow } from './first-key.ts'
import { decodeEntry, encodeEntry, type LogEntry } from './log-entry.ts'
import {
  amendmentKey,
  amendmentsPrefix,
  announcementKey,
  commitKey,
  commitsBefore,
  commitsPrefix,
  type EntryPlace,
  LOG_ROOT,
  type LogId,
  logPrefix,
  MAX_OFFSET,
  markerKey,
  markersPrefix,
  parseAmendmentKey,
  parseCommitKey,
  parseLogKey,
  parseMarkerKey,
  parseWaitingKey,
  waitingKey,
  waitingPrefix,
} from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'

const EMPTY = new Uint8Array()
const READ_AHEAD = 16

/** A marker of a table: an amendment that the table may not have taken yet. */
export interface Marker {
  readonly amends: number
  readonly number: number
}

/** The objects of one log: what can be read and put, one call each. The rules of when are in `commit-log.ts`. */
export class LogStore {
  readonly prefix: string
  readonly #store: ObjectStore

  constructor(store: ObjectStore, id: LogId) {
    this.#store = store
    this.prefix = logPrefix(id)
  }

  /** Says that the log is about to begin; said twice, it changes nothing. */
  async announce(): Promise<void> {
    await this.#store.put(announcementKey(this.prefix), EMPTY)
  }

  /** The commit with the greatest start ≤ the offset: one list of one key, and one read. */
  async floor(offset: number): Promise<LogEntry | undefined> {
    const startAfter = commitsBefore(this.prefix, offset)
    const key = await firstKey(this.#store, commitsPrefix(this.prefix), startAfter)
    return key === undefined ? undefined : this.#read(key)
  }

  /** The commit or seal that ends the chain. */
  newest(): Promise<LogEntry | undefined> {
    return this.floor(MAX_OFFSET - 1)
  }

  /** Where it begins: one list of one key. */
  async newestStart(): Promise<number | undefined> {
    const key = await firstKey(this.#store, commitsPrefix(this.prefix))
    return key === undefined ? undefined : parseCommitKey(key)
  }

  /** Where the commits begin that start at the offset or behind it, ascending. */
  async startsFrom(offset: number): Promise<number[]> {
    return (await this.datedStartsFrom(offset)).map(({ start }) => start)
  }

  /** The same, with when each was put, by the store's clock, in milliseconds since 1970. */
  async datedStartsFrom(offset: number): Promise<{ start: number; at: number }[]> {
    const starts: { start: number; at: number }[] = []
    for await (const { key, modified } of this.#store.list(commitsPrefix(this.prefix))) {
      const start = parseCommitKey(key)
      if (start < offset) break
      starts.push({ start, at: modified })
    }
    return starts.reverse()
  }

  /** The commit that begins at the offset. */
  async commitAt(start: number): Promise<LogEntry | undefined> {
    const key = commitKey(this.prefix, start)
    const body = await this.#store.get(key)
    return body === undefined ? undefined : this.#decode(key, body)
  }

  /** All commits, newest first. */
  commits(): AsyncIterable<LogEntry> {
    return this.#readAll(commitsPrefix(this.prefix))
  }

  /** The amendments of a commit in their order. */
  async amendmentsOf(start: number): Promise<LogEntry[]> {
    const amendments: LogEntry[] = []
    for await (const { key } of this.#store.list(amendmentsPrefix(this.prefix, start))) {
      if (key !== amendmentKey(this.prefix, start, amendments.length))
        throw new InletError(
          'LOG_CORRUPT',
          `${amendmentKey(this.prefix, start, amendments.length)} is missing, but there is ${key}`,
        )
      amendments.push(await this.#read(key))
    }
    return amendments
  }

  /** The amendments of a commit from a number on, with when each was put. */
  async datedAmendments(start: number, from: number): Promise<{ entry: LogEntry; at: number }[]> {
    const found: { entry: LogEntry; at: number }[] = []
    for await (const { key, modified } of this.#store.list(amendmentsPrefix(this.prefix, start))) {
      if (parseAmendmentKey(key).number >= from) found.push({ entry: await this.#read(key), at: modified })
    }
    return found
  }

  /** The places of all amendments, told by their keys alone. */
  async amendmentPlaces(): Promise<Marker[]> {
    const places: Marker[] = []
    for await (const { key } of this.#store.list(amendmentsPrefix(this.prefix))) places.push(parseAmendmentKey(key))
    return places
  }

  async amendmentAt(start: number, number: number): Promise<LogEntry | undefined> {
    const key = amendmentKey(this.prefix, start, number)
    const body = await this.#store.get(key)
    return body === undefined ? undefined : this.#decode(key, body)
  }

  /** All amendments, by the start of the commit they amend. */
  amendments(): AsyncIterable<LogEntry> {
    return this.#readAll(amendmentsPrefix(this.prefix))
  }

  /**
   * Puts an entry at its place, if absent.
   * @returns whether this very entry is there now: a put that worked but answered "taken", because the client sent it
   * twice, is ours by its attempt.
   */
  async append(place: EntryPlace, entry: LogEntry): Promise<boolean> {
    const key =
      place.kind === 'commit'
        ? commitKey(this.prefix, place.start)
        : amendmentKey(this.prefix, place.amends, place.number)
    if ((await this.#store.putIfAbsent(key, encodeEntry(entry))) === 'created') return true
    return (await this.#read(key)).attempt === entry.attempt
  }

  async putMarker(table: string, { amends, number }: Marker): Promise<void> {
    await this.#store.put(markerKey(this.prefix, table, amends, number), EMPTY)
  }

  async markers(table: string): Promise<Marker[]> {
    const markers: Marker[] = []
    for await (const { key } of this.#store.list(markersPrefix(this.prefix, table))) markers.push(parseMarkerKey(key))
    return markers
  }

  async deleteMarker(table: string, { amends, number }: Marker): Promise<void> {
    await this.#store.delete(markerKey(this.prefix, table, amends, number))
  }

  /** Says that rows of an entry may wait for a score. */
  async putWaiting(place: EntryPlace): Promise<void> {
    await this.#store.put(waitingKey(this.prefix, place), EMPTY)
  }

  /** The places of entries of which that was said. */
  async waiting(): Promise<EntryPlace[]> {
    const places: EntryPlace[] = []
    for await (const { key } of this.#store.list(waitingPrefix(this.prefix))) places.push(parseWaitingKey(key))
    return places
  }

  /** None of its rows waits any more. */
  async deleteWaiting(place: EntryPlace): Promise<void> {
    await this.#store.delete(waitingKey(this.prefix, place))
  }

  entryAt(place: EntryPlace): Promise<LogEntry | undefined> {
    return place.kind === 'commit' ? this.commitAt(place.start) : this.amendmentAt(place.amends, place.number)
  }

  /** In the order of the keys, with some reads ahead: one at a time, a long log in S3 would take minutes. */
  #readAll(prefix: string): AsyncIterable<LogEntry> {
    return pMapIterable(this.#store.list(prefix), ({ key }) => this.#read(key), { concurrency: READ_AHEAD })
  }

  async #read(key: string): Promise<LogEntry> {
    const body = await this.#store.get(key)
    if (body === undefined)
      throw new InletError('LOG_CORRUPT', `${key} was listed but cannot be read: commits are never deleted`)
    return this.#decode(key, body)
  }

  /** An entry says itself where it belongs: a copy of one at another key must not settle what lies there. */
  #decode(key: string, body: Uint8Array): LogEntry {
    const entry = decodeEntry(key, body)
    const own =
      entry.amends === null
        ? commitKey(this.prefix, entry.start)
        : amendmentKey(this.prefix, entry.amends, entry.number)
    if (key !== own)
      throw new InletError(
        'LOG_CORRUPT',
        `${key} holds the entry of ${own}: the commit log was changed by something else`,
      )
    return entry
  }
}

/**
 * The logs of a lake below a prefix, found by their keys: one list of one key for each, however long the logs are.
 * @param prefix a prefix of logs, as `log/` or that of a topic
 */
export async function* logsOf(store: ObjectStore, prefix = LOG_ROOT): AsyncIterable<{ id: LogId; log: LogStore }> {
  for await (const { id } of foldersBelow(store, prefix, parseLogKey)) yield { id, log: new LogStore(store, id) }
}
