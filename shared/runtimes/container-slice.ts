import pMap from 'p-map'
import type { CommitLog } from '#shared/lake/commit-log.ts'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import { SliceExtent } from '#shared/lake/slice-extent.ts'
import type { ByteGate } from '#shared/lake/verify/byte-gate.ts'
import type { Attempt, DataFile, NewDataFile, SliceContent } from '#shared/pipeline/commit.ts'
import type { Flow } from '#shared/pipeline/flow.ts'
import { encodeFile, sliceContent } from '#shared/pipeline/process-batch.ts'
import type { Counts } from '#shared/pipeline/outcome.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { joinedCounts, type ScoredRecords } from '#shared/pipeline/score-rows.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import type { TablePartition } from '#shared/pipeline/table-partitions.ts'
import { Tabulator } from '#shared/pipeline/tabulate.ts'
import { groupMemory } from './container-memory.ts'
import type { ScratchFile, ScratchFolder } from './container-scratch.ts'

/** Files of one slice that are put at a time. */
const CONCURRENCY = 8

/** What a slice is written with. */
export interface SliceSurroundings {
  readonly flow: Flow
  readonly scratch: ScratchFolder
  /** Needed by pipelines with scores: without it their rows wait for them. */
  readonly scorer?: Scorer | undefined
  /** Keeps bodies of files that are being put within the budget of memory. */
  readonly gate: ByteGate
}

/**
 * A slice that is open: records become rows as they come, rows are spilled to the local disk as row groups, and all of it
 * lands as one commit. Until then it does not exist: it may be dropped at any time.
 */
export class OpenSlice {
  /** When it was opened, in milliseconds. */
  readonly openedAt: number
  readonly #start: number
  readonly #log: CommitLog
  readonly #attempt: Attempt
  readonly #surroundings: SliceSurroundings
  readonly #tabulator: Tabulator
  readonly #extent = new SliceExtent()
  readonly #spilled = new Map<TablePartition, { readonly file: ScratchFile; groups: number }>()
  readonly #encoded = new Map<TablePartition, Omit<NewDataFile, 'body'>>()
  readonly #written = new Map<TablePartition, DataFile>()
  readonly #weights = new Map<TablePartition, number>()
  #memory = 0
  #scores: SliceContent['scores']
  #isEncoded = false
  #isLanding = false
  #isBroken = false

  private constructor(
    log: CommitLog,
    start: number,
    attempt: Attempt,
    surroundings: SliceSurroundings,
    openedAt: number,
  ) {
    this.#log = log
    this.#start = start
    this.#attempt = attempt
    this.#surroundings = surroundings
    this.#tabulator = new Tabulator(surroundings.flow, attempt.epoch)
    this.openedAt = openedAt
  }

  /** @param start where its commit begins: behind the newest one of the log */
  static async open(
    log: CommitLog,
    start: number,
    surroundings: SliceSurroundings,
    openedAt: number,
  ): Promise<OpenSlice> {
    return new OpenSlice(log, start, await log.beginAt(start), surroundings, openedAt)
  }

  /** Rows were lost on their way to the disk: it can only be dropped. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  get counts(): Counts {
    return this.#tabulator.tabulation.counts
  }

  get rows(): number {
    return this.counts.rows
  }

  /** Bytes of memory that it takes, about. */
  get memory(): number {
    return this.#memory
  }

  /** Bytes that it takes of memory and disk. */
  get size(): number {
    let sum = this.memory
    for (const { file } of this.#spilled.values()) sum += file.bytes
    return sum
  }

  /** Bytes of its largest file, as far as it is encoded. */
  get largestFile(): number {
    let most = 0
    for (const partition of this.#tabulator.tabulation.partitions)
      most = Math.max(most, partition.rows.encoded + (this.#spilled.get(partition)?.file.bytes ?? 0))
    return most
  }

  /** Those whose rows can be spilled. */
  get held(): TablePartition[] {
    if (this.#isLanding) return []
    return this.#tabulator.tabulation.partitions.filter(({ rows }) => rows.canSpill && rows.memory > 0)
  }

  /**
   * @param records at least one, in offset order, behind those before
   * @param scored the same, where their rows have been given scores
   */
  add(records: readonly KafkaRecord[], scored?: ScoredRecords): void {
    const { rejected } = this.#tabulator.tabulation
    const before = rejected.length
    this.#extent.add(records)
    this.#tabulator.add(records, scored?.path)
    if (scored !== undefined) this.#scores = joinedCounts(this.#scores ?? {}, scored.counts(rejected.slice(before)))
    for (const partition of this.#tabulator.tabulation.partitions)
      if (partition.offsets.length > 0) this.#weigh(partition)
  }

  /** Rows of a table partition go to the disk, as a row group. */
  async spill(partition: TablePartition): Promise<void> {
    const body = partition.rows.spill()
    this.#fileOf(partition).groups += 1
    this.#weigh(partition)
    await this.#append(partition, body)
  }

  /**
   * Makes it part of the lake. After a failure it may be called again, and goes on where it was.
   * @returns its commit; undefined when another writer was first
   */
  async land(): Promise<LogEntry | undefined> {
    this.#isLanding = true
    if (!this.#isEncoded) await this.#encode()
    const { tabulation } = this.#tabulator
    await pMap(tabulation.partitions, (partition) => this.#write(partition), {
      concurrency: CONCURRENCY,
      stopOnError: false,
    })
    const files = tabulation.partitions.map((partition) => this.#written.get(partition) as DataFile)
    const content = sliceContent(tabulation, files, this.#surroundings.flow.pipeline, this.#scores)
    return this.#log.commitAt(this.#start, this.#attempt, this.#extent.extent, content)
  }

  /** Gives back what it takes of the disk: when it has landed, or is not wanted any more. */
  async drop(): Promise<void> {
    for (const { file } of this.#spilled.values()) await file.remove()
    this.#spilled.clear()
  }

  /** Ends the files. All of them pass over the disk, so that no more than a file at a time is held while they are put. */
  async #encode(): Promise<void> {
    const { flow } = this.#surroundings
    for (const partition of this.#tabulator.tabulation.partitions) {
      if (this.#encoded.has(partition)) continue
      const { body, ...file } = encodeFile(partition, flow.pipeline, this.#attempt)
      this.#encoded.set(partition, file)
      await this.#append(partition, body)
      partition.rows.release()
      this.#weigh(partition)
    }
    this.#isEncoded = true
  }

  async #append(partition: TablePartition, body: Uint8Array): Promise<void> {
    try {
      await this.#fileOf(partition).file.append(body)
    } catch (error) {
      this.#isBroken = true
      throw error
    }
  }

  async #write(partition: TablePartition): Promise<void> {
    const encoded = this.#encoded.get(partition)
    if (encoded === undefined || this.#written.has(partition)) return
    const { file } = this.#fileOf(partition)
    const written = await this.#surroundings.gate.pass(file.bytes, async () =>
      this.#attempt.writeFile({ ...encoded, body: await file.read() }),
    )
    this.#written.set(partition, written)
    await file.remove()
  }

  #fileOf(partition: TablePartition): { readonly file: ScratchFile; groups: number } {
    const made = this.#spilled.get(partition)
    if (made !== undefined) return made
    const spilled = { file: this.#surroundings.scratch.newFile(), groups: 0 }
    this.#spilled.set(partition, spilled)
    return spilled
  }

  /** Only what has changed is weighed: all slices are asked for their memory after each chunk of any of them. */
  #weigh(partition: TablePartition): void {
    const groups = this.#spilled.get(partition)?.groups ?? 0
    const memory = partition.rows.memory + groups * groupMemory(partition.table.columns.length)
    this.#memory += memory - (this.#weights.get(partition) ?? 0)
    this.#weights.set(partition, memory)
  }
}
