import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { Progress } from '#shared/cli/progress.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { marksOf } from '#shared/lake/table-marks.ts'
import { flightValues } from '#test/helpers/flights-topic.ts'
import type { KafkaBroker } from '#test/helpers/kafka-broker.ts'
import { MeasuredProcess } from './measured-process.ts'
import type { Place } from './stream-places.ts'
import { freshFlights } from '#test/fixtures/fresh-flights.ts'
import { PARTITIONS } from './stream-speed.ts'

/** How long it takes from just before a record is sent until a query shows it. Seconds. */
export interface Freshness {
  readonly place: string
  readonly records: number
  readonly snapshots: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly most: number
  /** CPU time of the container, from its start to its end, for a second by the clock. */
  readonly cores: number
}

export interface FreshnessOptions {
  readonly broker: KafkaBroker
  readonly place: Place
  readonly directory: string
  /** Records a second, and for how many seconds. */
  readonly rate: number
  readonly seconds: number
}

const { name, generation, table, topic } = freshFlights
const OWNER = { pipeline: name, generation, table: table.name }
/** Sent before what is measured, at the same rate, while the container warms up. */
const WARM_UP_SECONDS = 5
const SEND_EVERY_MS = 50
/** Between two looks at the table. Each is some calls of the store, which the container needs too; a record is seen so much late. */
const LOOK_EVERY_MS = 100
/** A container that stands still is not waited for. */
const GIVE_UP_MS = 60_000

/** Measures a container that lands each second and commits at once, while records come at a steady rate. */
export async function measureFreshness(options: FreshnessOptions): Promise<Freshness> {
  const { broker, place, directory, rate, seconds } = options
  const lake = place.lake('fresh')
  await broker.createTopic(topic, PARTITIONS)
  const sender = new Sender(broker.brokers, await flightValues())
  const seen = new SeenRecords(place.open(lake))
  const argv = [
    'consume',
    'test/fixtures/fresh-flights.ts',
    '--kafka',
    broker.brokers,
    '--lake',
    lake,
    '--catalog',
    'directory',
    '--max-age',
    '1',
    '--scratch',
    path.join(directory, 'scratch'),
  ]
  const container = new MeasuredProcess('shared/cli/inlet.ts', argv, place.environment)
  const progress = new Progress(`freshness, ${place.name}`, rate * (WARM_UP_SECONDS + seconds), 'records')
  try {
    await container.running.says(/partitions assigned/)
    for (const duration of [WARM_UP_SECONDS, seconds]) {
      seen.forget()
      await Promise.all([
        sender.send(rate, duration, (sent) => {
          seen.sent(sent)
          progress.advance(sent.count)
        }),
        seen.watch(rate * duration),
      ])
    }
    const { cpuSeconds, seconds: whole } = await container.end('SIGTERM')
    return { place: place.name, ...seen.summary(), cores: cpuSeconds / whole }
  } finally {
    progress.stop()
    container.running.child.kill('SIGKILL')
    await sender.close()
    await broker.admin.deleteTopics({ topics: [topic] })
    while ((await broker.admin.listTopics()).includes(topic)) await sleep(SEND_EVERY_MS)
  }
}

/** Records of one partition that were sent together. */
interface Sent {
  readonly partition: number
  /** The offset behind them. */
  readonly end: number
  readonly count: number
  /** Just before they were sent. */
  readonly at: number
}

/** Sends records to all partitions in turn, one request after another. */
class Sender {
  readonly #producer: Producer
  readonly #values: readonly Buffer[]
  readonly #ends = Array.from({ length: PARTITIONS }, () => 0)
  #records = 0

  constructor(brokers: string, values: readonly Buffer[]) {
    this.#values = values
    const retries = { retries: 20, retryDelay: 100, idempotent: true }
    this.#producer = new Producer({ clientId: 'bench', bootstrapBrokers: brokers.split(','), ...retries })
  }

  async send(rate: number, seconds: number, onSend: (sent: Sent) => void): Promise<void> {
    const started = performance.now()
    for (let sent = 0; sent < rate * seconds; ) {
      const at = performance.now()
      const due = Math.min(rate * seconds, Math.ceil(((at - started) / 1000) * rate))
      const messages = Array.from({ length: due - sent }, (_, i) => this.#message(this.#records + i))
      for (const [partition, own] of Map.groupBy(messages, (message) => message.partition)) {
        const end = (this.#ends[partition] ?? 0) + own.length
        this.#ends[partition] = end
        onSend({ partition, end, count: own.length, at })
      }
      if (messages.length > 0) await this.#producer.send({ messages, acks: ProduceAcks.ALL })
      this.#records += messages.length
      sent = due
      await sleep(Math.max(0, SEND_EVERY_MS - (performance.now() - at)))
    }
  }

  close(): Promise<void> {
    return this.#producer.close()
  }

  #message(i: number): { topic: string; partition: number; value: Buffer } {
    return { topic, partition: i % PARTITIONS, value: this.#values[i % this.#values.length] as Buffer }
  }
}

/**
 * When records can be seen: from the first look that finds a version of the table, the one that `query` reads, whose marks
 * count them. A file is in a version of the table exactly when its marks count the commit that names it.
 */
class SeenRecords {
  readonly #store: ObjectStore
  #waiting: Sent[] = []
  #milliseconds: number[] = []
  #versions = 0
  #token = ''

  constructor(store: ObjectStore) {
    this.#store = store
  }

  sent(sent: Sent): void {
    this.#waiting.push(sent)
  }

  forget(): void {
    this.#milliseconds = []
    this.#versions = 0
  }

  /** Looks at the table until so many records were seen. */
  async watch(records: number): Promise<void> {
    const { catalog } = openCatalog('directory', this.#store)
    for (let moved = performance.now(); this.#milliseconds.length < records; await sleep(LOOK_EVERY_MS)) {
      const loaded = await catalog.load(OWNER.table)
      const at = performance.now()
      if (loaded !== undefined && loaded.token !== this.#token) {
        const marks = await marksOf(this.#store, loaded.metadata, OWNER)
        this.#token = loaded.token
        this.#versions += 1
        this.#see(marks?.logs ?? {}, at)
        moved = at
      } else if (at - moved > GIVE_UP_MS) throw new Error(`the table has not moved for ${GIVE_UP_MS / 1000} s`)
    }
  }

  summary(): Omit<Freshness, 'place' | 'cores'> {
    const sorted = this.#milliseconds.toSorted((a, b) => a - b)
    const at = (share: number): number => (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN) / 1000
    return {
      records: sorted.length,
      snapshots: this.#versions,
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      most: at(1),
    }
  }

  #see(logs: Readonly<Record<string, { readonly next: number }>>, at: number): void {
    const next = new Map(Object.entries(logs).map(([prefix, log]) => [partitionOf(prefix), log.next]))
    this.#waiting = this.#waiting.filter((sent) => {
      if (sent.end > (next.get(sent.partition) ?? 0)) return true
      for (let i = 0; i < sent.count; i++) this.#milliseconds.push(at - sent.at)
      return false
    })
  }
}

function partitionOf(logPrefix: string): number {
  return Number(/\/p(?<partition>\d+)\/$/.exec(logPrefix)?.groups?.['partition'])
}
