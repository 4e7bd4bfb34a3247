import { beginEpoch } from '#shared/lake/epochs.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { vacuum } from '#shared/lake/vacuum.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { Bucket } from './bucket.ts'
import { Events } from './events.ts'
import type { FollowedTable } from './followed-table.ts'
import { type Hearer, type Invocation, Lambda, LAKE_URL } from './lambda.ts'
import { Process } from './process.ts'
import { Random } from './random.ts'
import { Schedule } from './schedule.ts'
import { type Batch, Source } from './source.ts'
import type { TopicPartition, Version } from './topic.ts'
import type { Trace } from './trace.ts'
import type { Redrive, ReportedLanding, Workload } from './workload.ts'

/** Which schedule: a seed, and what of it is left out. */
export interface Plan {
  readonly seed: number
  /** Ordinals of events that do not happen (see `Events`). */
  readonly masked?: readonly number[]
  /** Offsets of a Kafka partition at the most. */
  readonly offsets?: number
  /** It need not come to anything (see `FLOOR`). */
  readonly isShort?: boolean
}

type Streams = [Random, Random, Random, Random]

/** No object of Inlet's: a file that some engine put beside the data. */
export const foreignFile = (table: string): string => `tables/${table}/data/00000-0-compacted.parquet`

/** How often the topic is created anew. */
const RECREATED = 0.25
const MISFORTUNES = new Set<string>(['STORE_UNAVAILABLE', 'DEADLINE_NEAR'])
/** What deliveries are told around the change of an epoch. */
const OF_EPOCHS = new Set<string>(['OFFSETS_RESTARTED', 'EPOCH_ENDED'])

/** All there is in a schedule, and how each kind of process is set to work. What happens when is the script's. */
export class World {
  readonly plan: Plan
  readonly workload: Workload
  readonly random: Random
  readonly events: Events
  readonly trace: Trace | undefined
  readonly schedule: Schedule
  /** The lake, and where the trigger puts the batches that it gives up. */
  readonly bucket: Bucket
  readonly failures: Bucket
  readonly source: Source
  readonly lambda: Lambda
  readonly tables: readonly FollowedTable[]
  /** Processes to be set to work, one at a turn. */
  readonly starts: (() => void)[] = []
  readonly landings: ReportedLanding[] = []
  /** Errors that no misfortune explains. */
  readonly surprises: string[] = []
  /** The operator has begun to change the epoch; has been told that it is done. */
  isEpochChanging = false
  isEpochChanged = false
  readonly #told = new Set<string>()
  /** Processes that were set to work, beside the function's; instances of the function that were killed at it. */
  processes = 0
  kills = 0

  constructor(plan: Plan, workload: Workload, trace?: Trace) {
    // Sequences of their own, so that little changes of what is left when something is left out of a schedule.
    const [random, calls, chances, topic] = [0, 1, 2, 3].map((stream) => new Random(plan.seed, stream)) as Streams
    this.plan = plan
    this.workload = workload
    this.random = random
    this.trace = trace
    this.events = new Events(chances, new Set(plan.masked))
    this.schedule = new Schedule(calls, this.events, trace)
    const pageSize = random.chance(0.2) ? random.between(1, 5) : 1000
    this.bucket = new Bucket(pageSize)
    this.failures = new Bucket(pageSize)
    this.source = new Source(
      workload,
      { isRecreated: random.chance(RECREATED), ...plan },
      topic,
      this.failures.objects,
      trace,
    )
    const exists = (path: string): boolean => this.bucket.objects.get(path) !== undefined
    this.tables = workload.open(exists)
    const hears: Hearer = {
      landed: (landing) => void this.landings.push(landing),
      failed: (process, slice, error) => this.#refused(process, slice, error),
    }
    this.lambda = new Lambda(this.schedule, this, workload, random, hears, trace)
    this.bucket.objects.set(foreignFile(workload.tables.rows), new Uint8Array(1))
  }

  /** Has a process set to work, in a turn of its own. */
  start(work: () => void): void {
    this.starts.push(work)
  }

  /** A batch of the mapping, which waits for the answer. */
  deliver(batch: Batch): void {
    const { source } = this
    const { partitions } = batch.invocation
    const ended = (error: Error | undefined, payload: unknown): void =>
      error === undefined ? source.answered(batch, payload) : source.failed(batch, 'error')
    const timedOut = (): void => source.failed(batch, 'timeout')
    const isInEpoch = this.isEpochChanged
    this.lambda.invoke({ what: 'batch', partitions, life: batch.life, isInEpoch, ended, timedOut }, source.trigger)
  }

  /** Records that nobody waits for the answer of. */
  stray(what: 'stray' | 'replay', { id }: TopicPartition, records: readonly KafkaRecord[]): void {
    this.lambda.invoke({ what, ...this.#alone(id, records) }, this.source.trigger)
  }

  redrive({ id }: TopicPartition, of: Redrive['of'], records: readonly KafkaRecord[], version: Version): void {
    const { topic, partition, epoch } = id
    this.lambda.redrive({ of, topic, partition, epoch, records }, this.#alone(id, records), version)
  }

  commit(table: FollowedTable): void {
    const isLimited = !this.schedule.isCalm && this.random.chance(0.3)
    const limit = isLimited ? this.random.between(1, 4) : Number.POSITIVE_INFINITY
    const logs = this.source.partitions.map(({ id }) => id)
    this.#begin('committer', (store, process) => table.commit({ store, process, logs, limit }))
  }

  /** Another engine commits to a table. */
  disturb(table: FollowedTable): void {
    this.#begin('engine', (store, process) => table.disturb({ store, process, logs: [], limit: 0 }))
  }

  vacuum({ name }: FollowedTable): void {
    this.#begin('vacuum', async (store) => {
      for await (const file of vacuum(store, name, { concurrency: 2 })) void file
    })
  }

  /**
   * The operator begins the next epoch, when whoever was given records of the life before has ended; interrupted, he does
   * it again.
   */
  changeEpoch(): void {
    const { source, lambda, workload } = this
    if (source.life === 0 || this.isEpochChanged || lambda.isAtWorkOn(source.life - 1)) return
    this.isEpochChanging = true
    this.#begin('operator', async (store) => {
      await beginEpoch(store, workload.topic, source.life - 1)
      this.isEpochChanged = true
    })
  }

  kill(process: Process): void {
    if (this.lambda.invocationOf(process) !== undefined) this.kills += 1
    this.schedule.kill(process)
    this.lambda.killed(process)
  }

  /** An instance may be told once that the epoch of a partition has ended, and then has to look for the next one. */
  #refused(process: Process, partition: number, error: unknown): void {
    if (!(error instanceof InletError && OF_EPOCHS.has(error.code) && this.source.life > 0)) return this.#note(error)
    if (this.lambda.invocationOf(process)?.isInEpoch !== true) return
    const who = `${process.name}, p${partition}`
    if (this.#told.has(who)) this.surprises.push(`${who}: keeps to an epoch that has ended`)
    this.#told.add(who)
  }

  #note(error: unknown): void {
    const isMisfortune = error instanceof InletError && MISFORTUNES.has(error.code)
    if (!isMisfortune) this.surprises.push(String(error))
  }

  #begin(name: string, work: (store: S3Store, process: Process) => Promise<void>): void {
    const process = new Process(`${name} ${++this.processes}`, this.schedule)
    const store = new S3Store(LAKE_URL, { client: this.bucket.clientOf(process) })
    this.schedule.begin(
      process,
      () => work(store, process),
      (error) => {
        if (error !== undefined) this.#note(error)
      },
    )
  }

  /** The records of one slice, whose end nobody waits for. */
  #alone(id: LogId, records: readonly KafkaRecord[]): Omit<Invocation, 'what'> {
    const partitions = [{ topic: id.topic, partition: id.partition, records }]
    return { partitions, life: id.epoch, isInEpoch: this.isEpochChanged, ended() {}, timedOut() {} }
  }
}
