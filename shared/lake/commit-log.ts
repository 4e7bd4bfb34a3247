/**
 * The commit log of one Kafka partition: exactly once without a database, a lease or a clock.
 *
 * What must hold, whatever is delivered again, in whatever pieces, by however many writers, and wherever they die:
 * 1. An offset is covered by at most one commit; the commits form a chain without holes, because each is put, if absent,
 *    at the offset behind the one before it.
 * 2. An offset within a commit that was not delivered with it is a gap. Gaps and rejected records are settled by
 *    amendments, numbered from 0, each put if absent: two writers that would settle the same gap collide there.
 * 3. A file is named by the entry it was written for or by none. A writer that loses a race looks again and writes anew.
 * 4. The marker of an amendment is there before the amendment is, so that a table never overlooks it.
 * 4a. So is the marker of an entry with rows that wait for a score (see `rescore.ts`).
 * 5. A seal is the last entry of a chain: put like a commit, but behind it there is no offset. Nothing that a trigger
 *    delivers is dropped by a sealed log or fills a gap of it: its records belong to the next epoch.
 * 6. A log is announced before its first commit. Whoever ends an epoch first says so and then looks for its logs, so that
 *    either he finds the announcement, and seals the log, or its writer finds that the epoch is being ended, and stops.
 */
import { createHash, randomUUID } from 'node:crypto'
import type {
  Attempt,
  DataFile,
  Landing,
  NewDataFile,
  SliceContent,
  SliceLog,
  WriteSlice,
} from '#shared/pipeline/commit.ts'
import { inRanges } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { type KafkaRecord, positionOf } from '#shared/pipeline/record.ts'
import { requireFitsGap, requireReached, requireSameRecord } from './fingerprint.ts'
import { defersScores, entryOf, entryOfExtent, type Extent, isSeal, type LogEntry, sealOf } from './log-entry.ts'
import { dataFileKey, type EntryPlace, endingKey, type LogId, MAX_OFFSET } from './log-keys.ts'
import { LogStore } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'

/** `deliver`: what the trigger brings. `redrive`: dead letters and discarded batches; rejected records are tried again. */
export type LandMode = 'deliver' | 'redrive'

export class CommitLog implements SliceLog {
  readonly #store: ObjectStore
  readonly #id: LogId
  readonly #log: LogStore
  /** The newest commit as this writer knows it. Only a hint: a put at a key that is taken corrects it. */
  #newest: LogEntry | undefined
  /** This writer has announced the log, and the epoch was not being ended. */
  #isAnnounced = false

  constructor(store: ObjectStore, id: LogId) {
    this.#store = store
    this.#id = id
    this.#log = new LogStore(store, id)
  }

  /**
   * Lands records in ascending offset order.
   * @throws InletError EPOCH_ENDED when the log is sealed and the records are not a redrive: see `epochs.ts`.
   */
  async land(records: readonly KafkaRecord[], write: WriteSlice, mode: LandMode = 'deliver'): Promise<Landing> {
    requireAscending(records)
    const contents: LogEntry[] = []
    let known = 0
    let rest = records
    while (rest[0] !== undefined) {
      const commit = (await this.#commitFor(rest[0].offset)) ?? (await this.#begun(mode))
      if (commit === undefined || rest[0].offset > commit.end) {
        const place: EntryPlace = { kind: 'commit', start: commit === undefined ? 0 : commit.end + 1 }
        const entry = await this.#append(place, rest, write)
        this.#newest = entry
        if (entry === undefined) continue
        contents.push(entry)
        rest = []
      } else {
        if (mode === 'deliver') await this.#requireNotSealed(commit)
        const within = rest.filter(({ offset }) => offset <= commit.end)
        const amendments = await this.#log.amendmentsOf(commit.start)
        const open = openRecords(within, commit, amendments, mode, this.#wayOut())
        if (open.length > 0) {
          const place: EntryPlace = { kind: 'amendment', amends: commit.start, number: amendments.length }
          const entry = await this.#append(place, open, write)
          if (entry === undefined) continue
          contents.push(entry)
        }
        known += within.length - open.length
        rest = rest.slice(within.length)
      }
    }
    return { known, contents }
  }

  /** The commit or seal that ends the chain now; undefined when it has not begun. */
  newest(): Promise<LogEntry | undefined> {
    return this.#log.newest()
  }

  /**
   * Begins an attempt to put the next commit of the chain, for a writer that makes files of records as they come.
   * @param start behind the end of the newest commit, 0 without one
   * @throws InletError EPOCH_ENDED when the log would begin and its epoch is being ended
   */
  async beginAt(start: number): Promise<Attempt> {
    if (start === 0) await this.#begun('deliver')
    return this.#begin({ kind: 'commit', start })
  }

  /**
   * Puts the commit of such an attempt. When it is not known whether a put has worked, it may be put again.
   * @returns undefined when another writer was first: its records have to be read again, from behind what has landed
   */
  async commitAt(
    start: number,
    attempt: Attempt,
    extent: Extent,
    content: SliceContent,
  ): Promise<LogEntry | undefined> {
    const place: EntryPlace = { kind: 'commit', start }
    const entry = entryOfExtent(place, extent, content, attempt.id)
    if (defersScores(content)) await this.#log.putWaiting(place)
    return (await this.#log.append(place, entry)) ? entry : undefined
  }

  /**
   * Checks that a topic can be the one whose records have landed.
   * @param last the record at the last offset that has landed, if the topic still has it
   * @param end the offset that the topic's next record will have
   * @throws InletError OFFSETS_RESTARTED
   */
  requireContinued(newest: LogEntry, last: KafkaRecord | undefined, end: number): void {
    const { topic, partition } = this.#id
    requireReached({ topic, partition, offset: newest.end }, end, this.#wayOut())
    if (last !== undefined) requireSameRecord(last, newest, this.#wayOut())
  }

  /** What is wrong when the topic is another one under the same name. */
  topicReplaced(): InletError {
    const { topic } = this.#id
    return new InletError(
      'OFFSETS_RESTARTED',
      `the topic ${topic} was created anew while it was read: its offsets need an epoch of their own: ${this.#wayOut()}`,
    )
  }

  /**
   * Ends the chain, also one that has not begun: no commit can follow, whoever is at work. Done once, however often it is
   * called.
   * @returns the seal
   */
  async seal(): Promise<LogEntry> {
    for (;;) {
      const newest = await this.#log.newest()
      if (newest !== undefined && isSeal(newest)) return newest
      const seal = sealOf(newest === undefined ? 0 : newest.end + 1, randomUUID())
      if (await this.#log.append({ kind: 'commit', start: seal.start }, seal)) return seal
    }
  }

  /**
   * Asked before the first commit is put.
   * @returns the seal when the epoch is being ended and these are records that belong to it all the same; undefined when the
   * log may begin
   */
  async #begun(mode: LandMode): Promise<LogEntry | undefined> {
    if (this.#isAnnounced) return undefined
    await this.#log.announce()
    if ((await this.#store.get(endingKey(this.#id, this.#id.epoch))) !== undefined) {
      if (mode === 'redrive') return this.seal()
      throw this.epochEnded()
    }
    this.#isAnnounced = true
    return undefined
  }

  /**
   * Asked before a record is dropped as known or fills a gap. A writer that was at work, or kept its log open, while the
   * epoch ended cannot tell whose records it has: they fail, and the next delivery finds the new epoch.
   */
  async #requireNotSealed(commit: LogEntry): Promise<void> {
    const start = await this.#log.newestStart()
    const newest = start === undefined || start === commit.start ? commit : await this.#log.commitAt(start)
    if (newest !== undefined && isSeal(newest)) throw this.epochEnded()
  }

  /** What is wrong when records come for a log that is sealed. */
  epochEnded(): InletError {
    const { topic, partition, epoch } = this.#id
    return new InletError(
      'EPOCH_ENDED',
      `${topic}-${partition}: epoch ${epoch} of its offsets has ended; the records will be delivered again, into the next one. ` +
        `If this goes on, the change of the epoch was interrupted: ${this.#wayOut()}`,
    )
  }

  #wayOut(): string {
    const { pipeline, cluster, epoch } = this.#id
    return `run "inlet epoch ${pipeline} --end ${epoch} --cluster ${cluster} --lake ${this.#store.url}"`
  }

  /** The commit with the greatest start ≤ the offset. What a warm writer knows will do if it cannot be an older one. */
  async #commitFor(offset: number): Promise<LogEntry | undefined> {
    if (this.#newest !== undefined && offset >= this.#newest.start) return this.#newest
    return this.#log.floor(offset)
  }

  /** Writes files for a place, then puts the entry that names them. @returns undefined when another writer was first */
  async #append(place: EntryPlace, records: readonly KafkaRecord[], write: WriteSlice): Promise<LogEntry | undefined> {
    const attempt = this.#begin(place)
    const content = await write(records, attempt)
    const entry = entryOf(place, records, content, attempt.id)
    if (place.kind === 'amendment') {
      for (const table of new Set(content.files.map((file) => file.table))) await this.#log.putMarker(table, place)
    }
    if (defersScores(content)) await this.#log.putWaiting(place)
    return (await this.#log.append(place, entry)) ? entry : undefined
  }

  #begin(place: EntryPlace): Attempt {
    const id = randomUUID()
    let files = 0
    return {
      id,
      epoch: this.#id.epoch,
      writeFile: async (file: NewDataFile): Promise<DataFile> => {
        const sequence = files++
        const folder = await this.#store.dataFolder?.({ ...this.#id, table: file.table })
        const key = dataFileKey(this.#log.prefix, place, id, sequence, file, folder)
        await this.#store.put(key, file.body)
        const { table, partition, rows, body, locked } = file
        const sha256 = createHash('sha256').update(body).digest('hex')
        return { table, path: key, partition, rows, bytes: body.length, sha256, ...locked }
      },
    }
  }
}

/** The records that are not settled yet: those in gaps and, for a redrive, those whose last verdict is "rejected". */
function openRecords(
  records: readonly KafkaRecord[],
  commit: LogEntry,
  amendments: readonly LogEntry[],
  mode: LandMode,
  wayOut: string,
): KafkaRecord[] {
  const newestFirst = [...amendments].reverse().concat(commit)
  return records.filter((record) => {
    const verdict = newestFirst.find((entry) => inRanges(record.offset, entry.covered))
    if (verdict === undefined) {
      requireFitsGap(record, commit, wayOut)
      return true
    }
    requireSameRecord(record, verdict, wayOut)
    return mode === 'redrive' && inRanges(record.offset, verdict.rejected)
  })
}

function requireAscending(records: readonly KafkaRecord[]): void {
  let before = -1
  for (const record of records) {
    const { offset } = record
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= MAX_OFFSET)
      throw new InletError('EVENT_MALFORMED', `${positionOf(record)}: an offset is an integer from 0 to 2^53 − 2`)
    if (offset <= before)
      throw new InletError(
        'EVENT_MALFORMED',
        `${positionOf(record)} comes behind offset ${before}: offsets must ascend`,
      )
    before = offset
  }
}
