import fc from 'fast-check'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import type { Invocation } from '#shared/trigger/batch.ts'
import type { EventSourceMapping, MappingOptions } from '#shared/trigger/event-source-mapping.ts'
import { shown, Topic, triggerOf } from '#test/helpers/trigger-topic.ts'

const idOf = ({ partition, offset }: KafkaRecord): string => `${partition}@${offset}`
const recordsIn = ({ partitions }: Pick<Invocation, 'partitions'>): KafkaRecord[] =>
  partitions.flatMap(({ records }) => [...records])

/** `expect` for what is asked hundreds of thousands of times. */
function demand(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not so: ${what}`)
}

/** An invocation that has not ended, and the partitions that still wait for it. */
interface Running {
  readonly invocation: Invocation
  readonly heard: Set<number>
}

/**
 * A topic, a trigger and what befalls them, as a list of choices has it. It keeps its own books: which record some
 * invocation has acknowledged, which were given up, and which invocation each partition waits for.
 */
class Play {
  readonly topic: Topic
  readonly mapping: EventSourceMapping
  readonly #trigger: Trigger
  readonly #options: MappingOptions
  readonly #choices: number[]
  readonly #running: Running[] = []
  readonly #acknowledged = new Set<string>()
  readonly #discarded = new Set<string>()
  /** Records that a reset has passed over. */
  readonly #skipped = new Set<string>()
  readonly #committed = new Map<number, number>()
  #now = 0
  deliveries = 0

  constructor(trigger: Trigger, options: MappingOptions, partitions: number, choices: readonly number[]) {
    this.#trigger = trigger
    this.#choices = [...choices]
    this.#options = { ...options, secondHalfFirst: () => options.secondHalfFirst !== undefined && this.#pick(2) === 1 }
    this.topic = new Topic(...Array.from({ length: partitions }, () => 0))
    this.mapping = this.topic.mapping(trigger, this.#options)
  }

  run(): void {
    while (this.#choices.length > 0) {
      this.#step()
      this.#begin()
      this.#audit()
    }
    this.#drain()
  }

  #step(): void {
    const partition = this.#pick(this.topic.partitions.length)
    const kind = this.#pick(16)
    if (kind < 4) this.topic.append(partition, 1 + this.#pick(12), this.#shape())
    else if (kind < 7) this.topic.feed(this.mapping)
    else if (kind < 9) this.#feedSome(partition)
    else if (kind < 13) this.#end(this.#running[this.#pick(this.#running.length)])
    else if (kind === 13) this.#now += 1 + this.#pick(this.#pick(4) === 0 ? 70_000 : 3000)
    else if (kind === 14) this.#disturb(partition)
    else this.#now = Math.max(this.#now, this.mapping.dueAt(this.#now) ?? 0)
  }

  /** Values that no filter lets through now and then, and such as fill a payload. */
  #shape(): Partial<KafkaRecord> {
    const kind = this.#pick(8)
    if (kind === 0) return { value: UNWANTED, timestamp: this.#now }
    if (kind === 1 && this.#trigger.batchSize > 10) return { value: LARGE, timestamp: this.#now }
    return { timestamp: this.#now }
  }

  /** A read that brings less than was asked for, and leaves a hole behind. */
  #feedSome(partition: number): void {
    const wanted = this.mapping.wanted().find((each) => each.partition === partition)
    if (wanted === undefined) return
    const { from } = wanted
    const rest = (this.topic.partitions[partition] ?? []).filter(({ offset }) => offset >= from)
    const records = rest.slice(0, 1 + this.#pick(wanted.atMost))
    const next = rest[records.length]?.offset
    this.mapping.offer({ partition, from, records, ...(next === undefined ? {} : { next }) })
  }

  #disturb(partition: number): void {
    const kind = this.#pick(4)
    if (kind === 0) this.#scale(1 + this.#pick(4))
    else if (kind === 1) this.#reset(partition)
    else {
      this.mapping.handOver(partition)
      this.#forget(partition)
    }
  }

  #scale(pollers: number): void {
    const before = this.mapping.partitions.map((partition) => this.mapping.pollerOf(partition))
    this.mapping.scale(pollers)
    for (const [partition, poller] of before.entries())
      if (this.mapping.pollerOf(partition) !== poller) this.#forget(partition)
  }

  #reset(partition: number): void {
    const records = this.topic.partitions[partition] ?? []
    const offset = this.#pick(records.length + 1)
    this.mapping.reset(partition, offset)
    this.#committed.delete(partition)
    this.#forget(partition)
    for (const record of records) if (record.offset < offset) this.#skipped.add(idOf(record))
  }

  #forget(partition: number): void {
    for (const { heard } of this.#running) heard.delete(partition)
  }

  #begin(): void {
    const begun = this.mapping.due(this.#now)
    for (const discarded of this.mapping.takeDiscarded())
      for (const record of recordsIn(discarded)) this.#discarded.add(idOf(record))
    for (const invocation of begun) {
      this.#requireAllowed(invocation)
      this.deliveries += 1
      const heard = new Set(invocation.partitions.map(({ partition }) => partition))
      this.#running.push({ invocation, heard })
    }
  }

  #requireAllowed(invocation: Invocation): void {
    const records = recordsIn(invocation)
    demand(records.length > 0 && records.length <= this.#trigger.batchSize, 'a batch has one record to the batch size')
    const concurrency = this.#trigger.mode === 'on-demand' ? 1 : 5
    const beside = this.#running.filter(
      (other) => other.heard.size > 0 && other.invocation.poller === invocation.poller,
    )
    demand(beside.length < concurrency, `a poller has ${concurrency} invocations`)
    // The limit to the byte is for `msk-event.test.ts`.
    demand(records.filter(({ value }) => value === LARGE).length <= LARGE_IN_PAYLOAD, 'a payload has 6 MB')
    for (const { partition, records: slice } of invocation.partitions) {
      const others = this.#running.filter(({ heard }) => heard.has(partition))
      demand(others.length === 0, `${shown(invocation)} begins beside ${others.map((r) => shown(r.invocation)).join()}`)
      this.#requireOrder(partition, slice)
    }
  }

  /** Records come in order, and, but for a second half that goes first, behind nothing that is not settled. */
  #requireOrder(partition: number, slice: readonly KafkaRecord[]): void {
    for (const [i, { offset }] of slice.entries())
      demand(offset > (slice[i - 1]?.offset ?? -1), `${partition}@${offset} comes in offset order`)
    if (this.#trigger.bisectBatchOnError) return
    const own = new Set(slice)
    const last = slice.at(-1)?.offset ?? 0
    for (const record of this.topic.partitions[partition] ?? []) {
      const isBefore = record.offset < last && !own.has(record)
      demand(!isBefore || this.#isSettled(record), `${idOf(record)} is settled before ${partition}@${last} begins`)
    }
  }

  #end(running: Running | undefined): void {
    if (running === undefined) return
    this.#running.splice(this.#running.indexOf(running), 1)
    const { invocation } = running
    const kind = this.#pick(10)
    const records = recordsIn(invocation)
    if (kind < 2) this.mapping.failed(invocation, kind === 0 ? 'error' : 'timeout', this.#now)
    else if (kind === 2) this.mapping.failed(invocation, 'throttled', this.#now)
    else if (kind < 6 && this.#trigger.partialResponses) this.#answerPartially(invocation, records)
    else this.#succeed(invocation)
  }

  #succeed(invocation: Invocation): void {
    for (const record of recordsIn(invocation)) this.#acknowledged.add(idOf(record))
    this.mapping.answered(invocation, undefined, this.#now)
  }

  #answerPartially(invocation: Invocation, records: readonly KafkaRecord[]): void {
    const failed = records.filter(() => this.#pick(4) === 0)
    const batchItemFailures = failed.map(({ topic, partition, offset }) => {
      return { itemIdentifier: { partition: `${topic}-${partition}`, offset } }
    })
    const isUnderstood = this.#pick(8) > 0
    if (!isUnderstood) batchItemFailures.push({ itemIdentifier: { partition: 'flights-0', offset: -1 } })
    for (const record of isUnderstood ? records : []) {
      const isLeft = failed.some((other) => {
        if (this.#options.partialReading !== 'resume') return other === record
        return other.partition === record.partition && other.offset <= record.offset
      })
      if (!isLeft) this.#acknowledged.add(idOf(record))
    }
    this.mapping.answered(invocation, { batchItemFailures }, this.#now)
  }

  #isSettled(record: KafkaRecord): boolean {
    const id = idOf(record)
    const isFiltered = this.#trigger.filters.length > 0 && record.value === UNWANTED
    return isFiltered || this.#acknowledged.has(id) || this.#discarded.has(id) || this.#skipped.has(id)
  }

  /** What is committed is settled, all of it, and what is committed stays so. */
  #audit(): void {
    for (const partition of this.mapping.partitions) {
      const committed = this.mapping.committed(partition)
      demand(
        committed >= (this.#committed.get(partition) ?? 0),
        `${partition} is committed to ${committed}, and was before`,
      )
      this.#committed.set(partition, committed)
      for (const record of this.topic.partitions[partition] ?? [])
        demand(record.offset >= committed || this.#isSettled(record), `${idOf(record)} is settled, as it is committed`)
    }
  }

  /** From here on all goes well: then everything is settled in the end. */
  #drain(): void {
    for (let i = 0; i < 10_000; i++) {
      this.topic.feed(this.mapping)
      this.#begin()
      for (const { invocation } of this.#running.splice(0)) this.#succeed(invocation)
      this.#audit()
      const at = this.mapping.dueAt(this.#now)
      if (at === undefined && this.mapping.isIdle && this.#isRead()) break
      this.#now = Math.max(this.#now, at ?? 0)
    }
    const open = this.topic.partitions.flat().filter((record) => !this.#isSettled(record))
    demand(this.mapping.isIdle && open.length === 0, `all is settled in the end, also ${open.map(idOf).join()}`)
    for (const [partition, records] of this.topic.partitions.entries())
      demand(
        this.mapping.committed(partition) === (records.at(-1)?.offset ?? -1) + 1,
        `${partition} is committed to its end`,
      )
  }

  #isRead(): boolean {
    return this.mapping
      .wanted()
      .every(({ partition, from }) => from === (this.topic.partitions[partition]?.length ?? 0))
  }

  #pick(below: number): number {
    return below === 0 ? 0 : (this.#choices.shift() ?? 0) % below
  }
}

const UNWANTED = Buffer.from('unwanted')
/** Three of them fit into a payload, with some others; four do not. */
const LARGE = new Uint8Array(1_300_000)
const LARGE_IN_PAYLOAD = 3

const settings = fc.record({
  trigger: fc.oneof(
    fc.record({
      mode: fc.constant('on-demand' as const),
      failureDestination: fc.constantFrom(null, 's3://failed'),
    }),
    fc.record({
      mode: fc.constant('provisioned' as const),
      maximumRetryAttempts: fc.constantFrom(null, 0, 2),
      maximumRecordAgeSeconds: fc.constantFrom(null, 60),
      bisectBatchOnError: fc.boolean(),
      partialResponses: fc.boolean(),
      pollers: fc.constantFrom({ minimum: 1, maximum: 1 }, { minimum: 1, maximum: 3 }, { minimum: 2, maximum: 9 }),
    }),
  ),
  batchSize: fc.constantFrom(1, 2, 5, 100),
  batchingWindowSeconds: fc.constantFrom(0, 1),
  filters: fc.constantFrom([], [{ value: [{ 'anything-but': ['unwanted'] }] }]),
  partialReading: fc.constantFrom('named' as const, 'resume' as const),
  inEitherOrder: fc.boolean(),
  partitions: fc.integer({ min: 1, max: 5 }),
})

test('every record is delivered or given up, in order, never twice at a time, and committed only then', () => {
  let deliveries = 0
  fc.assert(
    fc.property(settings, fc.array(fc.nat(99_999), { maxLength: 400, size: 'max' }), (chosen, choices) => {
      const { trigger, batchSize, batchingWindowSeconds, filters, partialReading, inEitherOrder, partitions } = chosen
      const declared = triggerOf({ ...trigger, batchSize, batchingWindowSeconds, filters })
      const options: MappingOptions = { partialReading, ...(inEitherOrder ? { secondHalfFirst: () => true } : {}) }
      const play = new Play(declared, options, partitions, choices)
      play.run()
      deliveries += play.deliveries
    }),
    { numRuns: 500 },
  )
  expect(deliveries).toBeGreaterThan(5000)
})
