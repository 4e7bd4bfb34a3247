import { logPrefix } from '#shared/lake/log-keys.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { MemoryStore } from '../memory-store.ts'
import { Lambda } from './lambda.ts'
import { auditLog } from './log-audit.ts'
import { commitTable, MemoryTable } from './memory-table.ts'
import { type Parts, PRODUCT } from './parts.ts'
import { Random } from './random.ts'
import { Actor, Schedule } from './schedule.ts'
import { DEAD_LETTERS, ROWS } from './slice-writer.ts'
import { type Code, TopicPartition } from './topic.ts'
import type { Trace } from './trace.ts'
import { type Delivery, Trigger } from './trigger.ts'

/** What befalls the actor whose turn it is; all but the first only that which its poller waits for. */
const MISHAPS = { kill: 0.01, handOver: 0.02, discard: 0.015, bisect: 0.015 }
/** What begins beside the deliveries, at each turn. */
const STRAY = 0.004
const REDRIVE = 0.006
const COMMITTER = 0.012
const VACUUM = 0.006
/** Far more calls than any schedule needs: one that gets here goes in circles. */
const MOST_STEPS = 30_000
const MOST_ROUNDS = 100

/** What the second log is of: another Kafka partition, or the same one with offsets that started again. */
const OTHER_LOGS: readonly (readonly [partition: number, epoch: number])[] = [
  [1, 0],
  [0, 1],
]

/** No object of Inlet's: a file that some engine put beside the data. */
export const FOREIGN_FILE = `tables/${ROWS}/data/00000-0-compacted.parquet`

/**
 * One schedule: two logs (of two Kafka partitions, or of one that was created anew) and the triggers that deliver them,
 * the function instances that land what they get, committers of two tables, and vacuums, all on one store, interleaved,
 * failing and dying as the seed has it.
 */
export class World {
  readonly store: MemoryStore
  readonly triggers: readonly Trigger[]
  readonly tables: readonly MemoryTable[] = [new MemoryTable(ROWS), new MemoryTable(DEAD_LETTERS)]
  readonly lambda: Lambda
  /** Errors that no misfortune explains. */
  readonly surprises: string[] = []
  readonly #schedule: Schedule
  readonly #parts: Parts
  readonly #random: Random
  readonly #trace: Trace | undefined
  #actors = 0

  constructor(seed: number, parts: Parts = PRODUCT, trace?: Trace) {
    const random = new Random(seed)
    this.#random = random
    this.#parts = parts
    this.#trace = trace
    this.store = new MemoryStore(random.chance(0.2) ? random.between(1, 5) : 1000)
    const [partition, epoch] = random.pick(OTHER_LOGS) ?? [1, 0]
    const topics = [
      new TopicPartition(0, 0, random.between(30, 80), random),
      new TopicPartition(partition, epoch, random.between(5, 30), random),
    ]
    this.triggers = topics.map((topic) => new Trigger(topic, random))
    this.#schedule = new Schedule(random, trace)
    this.lambda = new Lambda(this.#schedule, this.store, parts, random, trace)
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
        if (this.#random.chance(STRAY)) await this.#invoke(trigger, trigger.stray())
        if (this.#random.chance(REDRIVE)) await this.#invoke(trigger, trigger.redrive(this.#codeOfRedrive()))
      }
      for (const table of this.tables) {
        if (this.#random.chance(COMMITTER)) await this.#startCommitter(table)
        if (this.#random.chance(VACUUM)) await this.#startVacuum(table)
      }
      await this.#turn()
    }
  }

  /**
   * Filtered records are replayed and what is still open is redriven: in pieces, twice, in vain, until nothing is open.
   */
  async #settleAll(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const due = await Promise.all(this.triggers.map((trigger) => this.#openRecords(trigger)))
      for (const { trigger, replays, redrives } of due) {
        for (const records of this.#random.pieces(replays, 4))
          await this.#invoke(trigger, { what: 'replay', records, mode: 'deliver', code: 'deployed' })
        for (const piece of this.#random.pieces(this.#random.shuffled(redrives), 5)) {
          const records = piece.sort((a, b) => a.offset - b.offset)
          for (let times = this.#random.chance(0.3) ? 2 : 1; times > 0; times--)
            await this.#invoke(trigger, { what: 'redrive', records, mode: 'redrive', code: this.#codeOfRedrive() })
        }
      }
      const isOpen = due.some(({ replays, redrives }) => replays.length + redrives.length > 0)
      if (isOpen) {
        for (const table of this.tables) {
          await this.#startCommitter(table)
          await this.#startVacuum(table)
        }
      }
      await this.#turnsUntilRest()
      if (!isOpen) return
    }
    this.surprises.push(`after ${MOST_ROUNDS} rounds of redrives records are still open`)
  }

  /** Nothing goes wrong any more: the tables take what is left, and a last vacuum runs. */
  async #catchUp(): Promise<void> {
    this.#schedule.calm()
    for (const table of this.tables) {
      let before: unknown
      while (before !== table.current) {
        before = table.current
        await this.#startCommitter(table)
        await this.#turnsUntilRest()
      }
      await this.#startVacuum(table)
      await this.#turnsUntilRest()
    }
  }

  async #turnsUntilRest(): Promise<void> {
    while (await this.#turn());
  }

  /** One actor makes its call, or meets with a mishap. @returns whether anybody was at work */
  async #turn(): Promise<boolean> {
    const actor = this.#schedule.pick()
    if (actor === undefined) return false
    if (this.steps > MOST_STEPS) throw new Error(`no end after ${MOST_STEPS} calls`)
    if (this.#schedule.isCalm || !this.#meetsMishap(actor)) await this.#schedule.step(actor)
    return true
  }

  #meetsMishap(actor: Actor): boolean {
    const mishap = this.#random.event(MISHAPS)
    if (mishap === 'kill') {
      this.#schedule.kill(actor)
      this.lambda.killed(actor)
      return true
    }
    const invocation = this.lambda.invocationOf(actor)
    if (mishap === undefined || invocation === undefined) return false
    const { trigger, delivery } = invocation
    if (!trigger.awaits(delivery)) return false
    this.#trace?.event(`trigger ${trigger.topic.name}`, `${mishap}: it waits for ${actor.name} no longer`)
    trigger[mishap]()
    return true
  }

  async #invoke(trigger: Trigger, delivery: Delivery | undefined): Promise<void> {
    if (delivery !== undefined) await this.lambda.invoke(trigger, delivery, (error) => this.#note(error))
  }

  async #startCommitter(table: MemoryTable): Promise<void> {
    const actor = new Actor(`committer ${++this.#actors}`, this.store)
    const logs = this.triggers.map(({ topic }) => topic.id)
    const commit = (): Promise<void> => commitTable(table, logs, actor, this.#parts, this.#random)
    await this.#schedule.begin(actor, commit, (error) => this.#note(error))
  }

  async #startVacuum({ name }: MemoryTable): Promise<void> {
    const actor = new Actor(`vacuum ${++this.#actors}`, this.store)
    const store = this.#parts.store(actor.store)
    const clean = async (): Promise<void> => {
      for await (const file of this.#parts.vacuum(store, name, { concurrency: 1 })) void file
    }
    await this.#schedule.begin(actor, clean, (error) => this.#note(error))
  }

  /** What has no row yet though somebody should see to it, by a replay or by a redrive. */
  async #openRecords(trigger: Trigger): Promise<{ trigger: Trigger } & Record<'replays' | 'redrives', KafkaRecord[]>> {
    const { settled, rejected } = await auditLog(this.store, logPrefix(trigger.topic.id))
    const open = trigger.topic.records.filter(({ offset }) => !settled.has(offset))
    const isRedriven = (record: KafkaRecord): boolean => trigger.discarded.has(record) || rejected.has(record.offset)
    const replays = open.filter((record) => trigger.filtered.has(record) && !isRedriven(record))
    return { trigger, replays, redrives: open.filter(isRedriven) }
  }

  /** Most redrives come after the fix, some before it. */
  #codeOfRedrive(): Code {
    return this.#random.chance(0.3) ? 'deployed' : 'fixed'
  }

  #note(error: Error | undefined): void {
    const isMisfortune = error === undefined || (error instanceof InletError && error.code === 'STORE_UNAVAILABLE')
    if (!isMisfortune) this.surprises.push(String(error))
  }
}
