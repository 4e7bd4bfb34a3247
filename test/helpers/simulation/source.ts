import type { KafkaRecord, PartitionRecords } from '#shared/pipeline/record.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import type { Invocation } from '#shared/trigger/batch.ts'
import type { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import { failureObject } from '#shared/trigger/failure-destination.ts'
import type { SortedObjects } from '../memory-store.ts'
import { CLUSTER, Mappings } from './mappings.ts'
import type { Random } from './random.ts'
import { TopicPartition } from './topic.ts'
import type { Trace } from './trace.ts'
import type { Workload } from './workload.ts'

const BEGIN = Date.UTC(2026, 0, 1)
/** Between two lives of a topic there is more than a record may be late by. */
const BETWEEN_LIVES_MS = 3 * 86_400_000

/** What a failure record says of the function and the mapping. */
const FAILING = {
  source: CLUSTER,
  functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:inlet-dev-flights',
  mappingId: uuid(1),
}

/** A batch that a mapping wants a function to be invoked with. */
export interface Batch {
  readonly mapping: EventSourceMapping
  readonly invocation: Invocation
  /** Of the topic that its records are of. */
  readonly life: number
}

/** How a topic differs between schedules. */
export interface SourceOptions {
  /**
   * It is created anew once it has been delivered. What Inlet asks of those who do that holds: until the next epoch is begun
   * every delivery begins within what the old log reaches. So nothing is given up, split or filtered, and each partition has
   * had records.
   */
  readonly isRecreated: boolean
  /** Offsets of each partition at the most. */
  readonly offsets?: number
}

/** A topic with its event source mapping: records in, batches out. */
export class Source {
  /** Partitions of all lives of the topic, those of the current one last. */
  readonly partitions: TopicPartition[] = []
  /** Records that the mapping has given up, and those that it has asked for a function to be invoked with. */
  readonly discarded = new Set<KafkaRecord>()
  readonly delivered = new Set<KafkaRecord>()
  readonly #workload: Workload
  readonly #options: SourceOptions
  readonly #random: Random
  readonly #failures: SortedObjects
  readonly #trace: Trace | undefined
  readonly #count: number
  readonly #mappings: Mappings
  #mapping: EventSourceMapping
  #life = 0
  /** Batches that were given up. */
  #given = 0
  #now = BEGIN

  constructor(workload: Workload, options: SourceOptions, random: Random, failures: SortedObjects, trace?: Trace) {
    this.#failures = failures
    this.#workload = workload
    this.#options = options
    this.#random = random
    this.#trace = trace
    this.#count = 1 + random.between(0, 1) + (random.chance(0.2) ? 1 : 0)
    this.#mappings = new Mappings(workload, { partitions: this.#count, mayLeaveOut: !options.isRecreated }, random)
    this.#begin()
    this.#mapping = this.#deploy(
      new Map(this.current.map(({ id, records }) => [id.partition, records[0]?.offset ?? 0])),
    )
  }

  /** The partitions of the current life. */
  get current(): readonly TopicPartition[] {
    return this.partitions.filter(({ id }) => id.epoch === this.#life)
  }

  get trigger(): Trigger {
    return this.#mappings.trigger
  }

  get life(): number {
    return this.#life
  }

  /** All that there is has been delivered, and is settled or given up. */
  get isDone(): boolean {
    return (
      this.#mapping.isIdle &&
      this.#mapping.wanted().every(({ partition, from }) => this.#recordsFrom(partition, from).length === 0)
    )
  }

  /** Time goes on, or the clock is set back. */
  pass(milliseconds: number): void {
    this.#now += milliseconds
  }

  /** Time goes on to when the mapping wants to do something. @returns whether it waits for the time */
  passUntilDue(): boolean {
    const due = this.#mapping.dueAt(this.#now)
    if (due === undefined) return false
    this.#now = Math.max(this.#now, due)
    return true
  }

  /** The mapping reads what it wants, or some of it, and says what to invoke a function with. */
  poll(): Batch[] {
    const mapping = this.#mapping
    for (const { partition, from, atMost } of mapping.wanted()) {
      const records = this.#recordsFrom(partition, from).slice(0, this.#random.between(1, atMost))
      if (records.length > 0) mapping.offer({ partition, from, records })
    }
    const invocations = mapping.due(this.#now)
    this.#takeDiscarded()
    for (const { partitions } of invocations)
      for (const { records } of partitions) for (const record of records) this.delivered.add(record)
    return invocations.map((invocation) => ({ mapping, invocation, life: this.#life }))
  }

  answered({ mapping, invocation }: Batch, payload: unknown): void {
    // What a function returns is JSON on its way.
    const heard: unknown = payload === undefined ? undefined : JSON.parse(JSON.stringify(payload))
    mapping.answered(invocation, heard, this.#now)
    this.#takeDiscarded()
  }

  failed({ mapping, invocation }: Batch, why: 'error' | 'timeout' | 'throttled'): void {
    if (why === 'throttled') this.#tell(`finds no room for ${positionsOf(invocation.partitions)}`)
    mapping.failed(invocation, why, this.#now)
    this.#takeDiscarded()
  }

  /** Another poller takes a partition over, and begins where the last answer was. */
  handOver(): void {
    const { partition } = this.#anyPartition().id
    this.#mapping.handOver(partition)
    this.#tell(`another poller takes p${partition} over`)
  }

  /** Somebody sets a partition back. */
  reset(): void {
    const { id, records } = this.#anyPartition()
    const offset = this.#random.between(records[0]?.offset ?? 0, this.#mapping.committed(id.partition))
    this.#mapping.reset(id.partition, offset)
    this.#tell(`p${id.partition} is set back to ${offset}`)
  }

  /** More or fewer pollers. */
  scale(): void {
    const pollers = this.#random.between(1, this.#count)
    this.#mapping.scale(pollers)
    this.#tell(`there are ${pollers} pollers`)
  }

  /** Other limits and another filter: the mapping begins anew where its answers were. What was invoked lives on. */
  redeploy(): void {
    const start = new Map<number, number>()
    for (const { id, records } of this.current) {
      const committed = this.#mapping.committed(id.partition)
      start.set(id.partition, committed)
      // The new filter may leave out what the old one let through.
      for (const record of records) if (record.offset >= committed) this.delivered.delete(record)
    }
    this.#mapping = this.#deploy(start)
  }

  /** The topic is deleted and created anew, if it is to be: offsets start again. @returns whether it was */
  recreate(): boolean {
    if (!this.#options.isRecreated || this.#life > 0) return false
    this.#life += 1
    this.#now += BETWEEN_LIVES_MS
    this.#begin()
    for (const { id } of this.current) this.#mapping.reset(id.partition, 0)
    this.#tell('the topic is deleted and created anew')
    return true
  }

  /** More records, in one of the partitions. */
  produce(offsets: number): void {
    this.#anyPartition().produce(offsets, this.#now)
  }

  #begin(): void {
    const { offsets = Number.POSITIVE_INFINITY } = this.#options
    for (let partition = 0; partition < this.#count; partition++) {
      const id = { ...this.#workload.topic, epoch: this.#life, partition }
      const begun = new TopicPartition(id, this.#random, this.#workload)
      const length = partition === 0 ? this.#random.between(2, 9) : this.#random.between(1, 4)
      begun.produce(Math.min(length, offsets), this.#now)
      this.partitions.push(begun)
    }
  }

  #deploy(start: ReadonlyMap<number, number>): EventSourceMapping {
    const mapping = this.#mappings.next(start)
    this.#tell(`begins: ${this.#mappings.description}`)
    return mapping
  }

  #anyPartition(): TopicPartition {
    return this.#random.pick(this.current) as TopicPartition
  }

  #recordsFrom(partition: number, offset: number): KafkaRecord[] {
    const records = this.current[partition]?.records ?? []
    return (records.at(-1)?.offset ?? -1) < offset ? [] : records.filter((record) => record.offset >= offset)
  }

  #takeDiscarded(): void {
    for (const batch of this.#mapping.takeDiscarded()) {
      const { key, body } = failureObject(batch, { ...FAILING, requestId: uuid(0), objectId: uuid(this.#given++) })
      this.#failures.set(key, Buffer.from(body))
      this.#tell(`gives up ${positionsOf(batch.partitions)}: ${batch.condition}`)
      for (const { records } of batch.partitions) for (const record of records) this.discarded.add(record)
    }
  }

  #tell(what: string): void {
    this.#trace?.event('the trigger', what)
  }
}

function positionsOf(partitions: readonly PartitionRecords[]): string {
  return partitions
    .map(({ partition, records }) => `p${partition}@${records.map(({ offset }) => offset).join(' ')}`)
    .join(', ')
}

function uuid(number: number): string {
  return `00000000-0000-4000-9000-${String(number).padStart(12, '0')}`
}
