import type { CommitLog } from '#shared/lake/commit-log.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import type { Landing } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { MemoryStore } from '../memory-store.ts'
import { auditLog } from './log-audit.ts'
import { commitTable, MemoryTable } from './memory-table.ts'
import { type Parts, PRODUCT } from './parts.ts'
import { Random } from './random.ts'
import { Actor, Schedule } from './schedule.ts'
import { DEAD_LETTERS, ROWS, SliceWriter } from './slice-writer.ts'
import { TopicPartition } from './topic.ts'
import type { Trace } from './trace.ts'
import { type Delivery, Trigger } from './trigger.ts'

/** How often each thing happens, at each call that some actor makes. */
const ODDS = {
  kill: 0.01,
  handOver: 0.02,
  discard: 0.005,
  bisect: 0.01,
  stray: 0.002,
  redrive: 0.003,
  committer: 0.02,
  vacuum: 0.004,
}
/** A warm instance is used again. */
const WARM = 0.7
/** Far more than any schedule needs; one that gets here goes in circles. */
const MOST_STEPS = 30_000

/** Not an object of Inlet's: some engine's own file beside the data. */
export const FOREIGN_FILE = `tables/${ROWS}/data/00000-0-compacted.parquet`

/** A landing that returned: what it said, and the attempts it made. */
export interface ReportedLanding extends Landing {
  readonly records: number
  readonly attempts: ReadonlySet<string>
}

/**
 * One schedule: two Kafka partitions, their triggers, function instances that land what they deliver, committers of two
 * tables and vacuums, all on one store and all of them interleaved, failing and dying as the seed has it.
 */
export class World {
  readonly store: MemoryStore
  readonly triggers: readonly Trigger[]
  readonly tables: readonly MemoryTable[] = [new MemoryTable(ROWS), new MemoryTable(DEAD_LETTERS)]
  readonly landings: ReportedLanding[] = []
  /** What nobody should see: errors that no mishap explains. */
  readonly surprises: string[] = []
  readonly #random: Random
  readonly #parts: Parts
  readonly #trace: Trace | undefined
  readonly #schedule: Schedule
  readonly #writer: SliceWriter
  readonly #idle: FunctionInstance[] = []
  readonly #invocations = new Map<Actor, { readonly trigger: Trigger; readonly delivery: Delivery }>()
  #actors = 0

  constructor(seed: number, parts: Parts = PRODUCT, trace?: Trace) {
    const random = new Random(seed)
    this.#random = random
    this.#parts = parts
    this.#trace = trace
    this.#schedule = new Schedule(random, trace)
    this.#writer = new SliceWriter(random)
    this.store = new MemoryStore(random.chance(0.2) ? random.between(1, 5) : 1000)
    this.triggers = [0, 1].map((partition) => new Trigger(new TopicPartition(partition, random), random))
  }

  get steps(): number {
    return this.#schedule.steps
  }

  async run(): Promise<void> {
    await this.store.put(FOREIGN_FILE, new Uint8Array(1))
    await this.#deliverAll()
    await this.#settleAll()
    await this.#catchUp()
  }

  /** The triggers deliver their partitions to the end, and everything that can go wrong does. */
  async #deliverAll(): Promise<void> {
    while (this.triggers.some((trigger) => !trigger.isDone)) {
      for (const trigger of this.triggers) {
        for (let due = trigger.next(); due !== undefined; due = trigger.next()) await this.#invoke(trigger, due)
        if (this.#random.chance(ODDS.stray)) await this.#invoke(trigger, trigger.stray())
        if (this.#random.chance(ODDS.redrive)) await this.#invoke(trigger, trigger.redrive(this.#redrivesWith()))
      }
      if (this.#random.chance(ODDS.committer)) await this.#startCommitter()
      if (this.#random.chance(ODDS.vacuum)) await this.#startVacuum()
      await this.#step()
    }
  }

  /** Held back records are replayed and what is still open is redriven, in pieces, in vain, twice, until nothing is. */
  async #settleAll(): Promise<void> {
    for (let round = 0; round < 100; round++) {
      let isOpen = false
      for (const trigger of this.triggers) {
        const { replays, redrives } = await this.#openRecords(trigger)
        isOpen ||= replays.length + redrives.length > 0
        for (const records of this.#random.pieces(replays, 4))
          await this.#invoke(trigger, { what: 'replay', records, mode: 'deliver', code: 'deployed' })
        for (const piece of this.#random.pieces(this.#random.shuffled(redrives), 5)) {
          const records = piece.sort((a, b) => a.offset - b.offset)
          await this.#invoke(trigger, { what: 'redrive', records, mode: 'redrive', code: this.#redrivesWith() })
          if (this.#random.chance(0.3))
            await this.#invoke(trigger, { what: 'redrive', records, mode: 'redrive', code: 'fixed' })
        }
      }
      if (isOpen) {
        await this.#startCommitter()
        await this.#startVacuum()
      }
      while (this.#schedule.pick() !== undefined) await this.#step()
      if (!isOpen) return
    }
    this.surprises.push('after a hundred rounds of redrives there are still open records')
  }

  /** Nothing goes wrong any more: the tables take what is left, and a last vacuum runs. */
  async #catchUp(): Promise<void> {
    this.#schedule.calm()
    for (const table of this.tables) {
      let before: unknown
      while (before !== table.current) {
        before = table.current
        await this.#startCommitter(table)
        while (this.#schedule.pick() !== undefined) await this.#step()
      }
    }
    await this.#startVacuum()
    while (this.#schedule.pick() !== undefined) await this.#step()
  }

  /** Of some actor one call; or it is killed, or its trigger does not wait for it any longer. */
  async #step(): Promise<void> {
    const actor = this.#schedule.pick()
    if (actor === undefined) return
    if (this.#schedule.steps > MOST_STEPS) throw new Error(`no end after ${MOST_STEPS} calls`)
    if (!this.#schedule.isCalm && this.#mishap(actor)) return
    await this.#schedule.step(actor)
  }

  #mishap(actor: Actor): boolean {
    let roll = this.#random.next()
    const befalls = (odds: number): boolean => {
      roll -= odds
      return roll < 0 && roll >= -odds
    }
    const invocation = this.#invocations.get(actor)
    if (befalls(ODDS.kill)) {
      this.#schedule.kill(actor)
      this.#invocations.delete(actor)
      invocation?.trigger.failed(invocation.delivery)
      return true
    }
    if (invocation === undefined || !invocation.trigger.awaits(invocation.delivery)) return false
    const { trigger } = invocation
    for (const [odds, what] of [
      [ODDS.handOver, 'handOver'],
      [ODDS.discard, 'discard'],
      [ODDS.bisect, 'bisect'],
    ] as const) {
      if (!befalls(odds)) continue
      this.#trace?.event(`trigger p${trigger.topic.id.partition}`, `${what}, while ${actor.name} is at work`)
      trigger[what]()
      return true
    }
    return false
  }

  async #invoke(trigger: Trigger, delivery: Delivery | undefined): Promise<void> {
    if (delivery === undefined) return
    const { topic } = trigger
    const { records, mode, code, what } = delivery
    const instance = this.#instance()
    const { actor } = instance
    this.#invocations.set(actor, { trigger, delivery })
    const offsets = records.map(({ offset }) => offset).join(' ')
    this.#trace?.event(actor.name, `gets a ${what} of p${topic.id.partition}, ${mode}, code as ${code}: ${offsets}`)
    const attempts = new Set<string>()
    const write = this.#parts.write(this.#writer.writes(topic, code, ({ id }) => attempts.add(id)))
    const land = async (): Promise<void> => {
      const landing = await instance.logOf(topic.id).land(records, write, mode)
      this.landings.push({ ...landing, records: records.length, attempts })
    }
    await this.#schedule.begin(actor, land, (error) => {
      this.#invocations.delete(actor)
      this.#idle.push(instance)
      if (error === undefined) trigger.answered(delivery)
      else trigger.failed(delivery)
      this.#note(error)
    })
  }

  /** A new instance of the function, or one that is warm: it knows the logs as it left them. */
  #instance(): FunctionInstance {
    const warm = this.#random.chance(WARM) ? this.#random.pick(this.#idle) : undefined
    if (warm === undefined) return new FunctionInstance(this.#actor('function'), this.#parts)
    this.#idle.splice(this.#idle.indexOf(warm), 1)
    return warm
  }

  async #startCommitter(table = this.#random.pick(this.tables)): Promise<void> {
    if (table === undefined) return
    const actor = this.#actor('committer')
    const work = (): Promise<void> => commitTable(table, actor, this.#parts, this.#random)
    await this.#schedule.begin(actor, work, (error) => this.#note(error))
  }

  async #startVacuum(): Promise<void> {
    const actor = this.#actor('vacuum')
    const store = this.#parts.store(actor.store)
    const work = async (): Promise<void> => {
      for (const { name } of this.tables)
        for await (const file of this.#parts.vacuum(store, name, { concurrency: 1 })) void file
    }
    await this.#schedule.begin(actor, work, (error) => this.#note(error))
  }

  /** What has no row yet though somebody should see to it: by a replay, or by a redrive. */
  async #openRecords({ topic, filtered, ...trigger }: Trigger): Promise<Record<'replays' | 'redrives', KafkaRecord[]>> {
    const { settled, rejected } = await auditLog(new LogStore(this.store, topic.id))
    const open = topic.records.filter(({ offset }) => !settled.has(offset))
    const isRedriven = (record: KafkaRecord): boolean => trigger.discarded.has(record) || rejected.has(record.offset)
    return {
      redrives: open.filter(isRedriven),
      replays: open.filter((record) => filtered.has(record) && !isRedriven(record)),
    }
  }

  /** Most redrives come after the fix, some before it. */
  #redrivesWith(): 'deployed' | 'fixed' {
    return this.#random.chance(0.3) ? 'deployed' : 'fixed'
  }

  #actor(role: string): Actor {
    return new Actor(`${role} ${++this.#actors}`, this.store)
  }

  #note(error: unknown): void {
    if (error === undefined || (error instanceof InletError && error.code === 'STORE_UNAVAILABLE')) return
    this.surprises.push(String(error))
  }
}

/** A function instance of Lambda: it serves one invocation at a time and keeps its logs from one to the next. */
class FunctionInstance {
  readonly actor: Actor
  readonly #parts: Parts
  readonly #logs = new Map<number, Pick<CommitLog, 'land'>>()

  constructor(actor: Actor, parts: Parts) {
    this.actor = actor
    this.#parts = parts
  }

  logOf(id: LogId): Pick<CommitLog, 'land'> {
    const log = this.#logs.get(id.partition) ?? this.#parts.openLog(this.#parts.store(this.actor.store), id)
    this.#logs.set(id.partition, log)
    return log
  }
}
