import { setImmediate as nextTurn } from 'node:timers/promises'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { currentEpoch } from '#shared/lake/epochs.ts'
import { isSeal, type LogEntry } from '#shared/lake/log-entry.ts'
import type { TopicId } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { asInletError, type InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { type ScoredRecords, scoredRecords } from '#shared/pipeline/score-rows.ts'
import { NO_SCORER } from '#shared/pipeline/scorer.ts'
import type { StartingPosition } from '#shared/pipeline/trigger.ts'
import type { PartitionAnswer } from '#shared/sources/kafka-records.ts'
import type { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import { OpenSlice, type SliceSurroundings } from './container-slice.ts'
import { consumerStart } from './container-start.ts'
import { partitionBounds } from './partition-bounds.ts'

/** Records that are taken between two looks at the clock, so that heartbeats are answered while a long answer is worked off. */
const CHUNK_RECORDS = 500
const CHUNK_BYTES = 4 << 20
/** Of a chunk: far below the time after which a group takes a consumer for dead. */
const SCORING_MS = 10_000

/** What all partitions share. */
export interface PartitionSurroundings extends SliceSurroundings {
  readonly topic: KafkaTopic
  readonly store: ObjectStore
  readonly source: TopicId
  readonly startingPosition: StartingPosition
  /** Which records the pipeline's trigger would deliver. */
  readonly isWanted: (record: KafkaRecord) => boolean
  readonly now: () => number
  /** Called when rows have been added: memory may have to be given back. */
  readonly onGrowth: () => Promise<void>
  readonly onMissed: (partition: number, records: number) => void
}

/** A partition that was assigned to this consumer, on its way into the lake. One call at a time. */
export class ConsumedPartition {
  readonly partition: number
  /** The offset to read from. */
  position = 0
  /** The offset behind the last record that can be read, as far as it is known. */
  end = 0
  /** The offset behind the last one that has landed or was not wanted: what the group is told. */
  done = 0
  slice: OpenSlice | undefined
  filtered = 0
  readonly #surroundings: PartitionSurroundings
  #log: CommitLog | undefined
  /** Where the next commit begins. */
  #start = 0
  #isClosed = false

  constructor(partition: number, surroundings: PartitionSurroundings) {
    this.partition = partition
    this.#surroundings = surroundings
  }

  /** It was looked up where to go on. */
  get isOpen(): boolean {
    return this.#log !== undefined
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Looks up where to go on: behind what has landed.
   * @throws InletError OFFSETS_RESTARTED when the topic cannot be the one that has landed; EPOCH_ENDED while its epoch is
   * being ended
   */
  async open(): Promise<void> {
    const { topic, store, source, startingPosition, onMissed } = this.#surroundings
    const { partition } = this
    const log = new CommitLog(store, { ...source, epoch: await currentEpoch(store, source), partition })
    const newest = await log.newest()
    if (newest !== undefined && isSeal(newest)) throw log.epochEnded()
    const [bounds] = (await partitionBounds(topic, [partition], startingPosition)).values()
    if (bounds === undefined) throw new RangeError(`${topic.topic} has no partition ${partition}`)
    if (newest !== undefined) {
      const isThere = newest.end >= bounds.earliest && newest.end < bounds.latest
      log.requireContinued(newest, isThere ? await topic.recordAt(partition, newest.end) : undefined, bounds.latest)
    }
    const start = consumerStart(startingPosition, { landed: newest?.end ?? null, ...bounds })
    if (start.missed > 0) onMissed(partition, start.missed)
    this.#start = newest === undefined ? 0 : newest.end + 1
    this.position = start.offset
    this.done = start.offset
    this.end = bounds.latest
    this.#log = log
  }

  /** Takes what was read, chunk by chunk. */
  async take(answer: PartitionAnswer & { readonly fault: null }): Promise<void> {
    if (this.#isClosed || answer.from !== this.position) return
    const { isWanted, onGrowth } = this.#surroundings
    const wanted = answer.records.filter(isWanted)
    this.filtered += answer.records.length - wanted.length
    for (const chunk of chunksOf(wanted)) {
      const scored = await this.#scored(chunk)
      this.slice ??= await this.#openSlice()
      if (this.#isClosed) return
      this.slice.add(chunk, scored)
      this.position = (chunk.at(-1) as KafkaRecord).offset + 1
      await onGrowth()
      await nextTurn()
    }
    if (this.#isClosed) return
    this.position = answer.next
    this.end = Math.max(answer.end, answer.next)
    if (this.slice === undefined) this.done = this.position
  }

  /** Gives the rows of a pipeline with scores theirs; what takes too long waits for its score, not the topic. */
  async #scored(chunk: readonly KafkaRecord[]): Promise<ScoredRecords | undefined> {
    const { flow, scorer = NO_SCORER } = this.#surroundings
    if (flow.pipeline.scores.length === 0) return undefined
    return scoredRecords(chunk, flow, { scorer, signal: AbortSignal.timeout(SCORING_MS) })
  }

  /**
   * Lands what is open. After a failure it may be called again.
   * @returns the commit; undefined when nothing is open, or when another writer was first: then it has to be opened anew
   */
  async land(): Promise<LogEntry | undefined> {
    const { slice } = this
    if (slice === undefined) return undefined
    const commit = await this.#landed(slice)
    await this.#drop()
    if (commit === undefined) this.#log = undefined
    else {
      this.#start = commit.end + 1
      this.done = this.position
    }
    return commit
  }

  /** Lets go of what is open and has not landed, to look up again where to go on. */
  async reopen(): Promise<void> {
    this.#log = undefined
    await this.#drop()
  }

  /** It is another's now. What is open is dropped: whoever reads on begins behind what has landed. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#drop()
  }

  /** Several files may have failed at once: one of the reasons is told. */
  async #landed(slice: OpenSlice): Promise<LogEntry | undefined> {
    try {
      return await slice.land()
    } catch (error) {
      throw asInletError(error, `landing ${this.#surroundings.topic.topic}-${this.partition}`)
    }
  }

  async #drop(): Promise<void> {
    const { slice } = this
    this.slice = undefined
    await slice?.drop()
  }

  #openSlice(): Promise<OpenSlice> {
    const log = this.#log as CommitLog
    return OpenSlice.open(log, this.#start, this.#surroundings, this.#surroundings.now())
  }
}

function* chunksOf(records: readonly KafkaRecord[]): Iterable<readonly KafkaRecord[]> {
  let begin = 0
  let bytes = 0
  for (const [i, { value }] of records.entries()) {
    bytes += value?.length ?? 0
    if (i + 1 - begin < CHUNK_RECORDS && bytes < CHUNK_BYTES) continue
    yield records.slice(begin, i + 1)
    begin = i + 1
    bytes = 0
  }
  if (begin < records.length) yield records.slice(begin)
}

/** What is wrong when the topic is another one under the same name. */
export async function topicReplaced(store: ObjectStore, source: TopicId, partition: number): Promise<InletError> {
  return new CommitLog(store, { ...source, epoch: await currentEpoch(store, source), partition }).topicReplaced()
}
