import type { CommitLog } from '#shared/lake/commit-log.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import type { Attempt, Landing } from '#shared/pipeline/commit.ts'
import type { MemoryStore } from '../memory-store.ts'
import type { Parts } from './parts.ts'
import type { Random } from './random.ts'
import { Actor, type Schedule } from './schedule.ts'
import { SliceWriter } from './slice-writer.ts'
import { logName } from './topic.ts'
import type { Trace } from './trace.ts'
import type { Delivery, Trigger } from './trigger.ts'

/** How often an invocation gets an instance that has served before, if there is one. */
const WARM = 0.7
/** A race is lost to somebody who makes progress; a landing that loses so many goes in circles. */
const MOST_ATTEMPTS = 25

export interface Invocation {
  readonly trigger: Trigger
  readonly delivery: Delivery
}

/** A landing that returned: what it was given, the attempts it made, and what it said. */
export interface ReportedLanding {
  readonly given: number
  readonly attempts: ReadonlySet<string>
  readonly said: Landing
}

/**
 * Runs function instances for triggers. An instance lands one delivery at a time and keeps its logs to the next one.
 */
export class Lambda {
  /** What landings said. */
  readonly landings: ReportedLanding[] = []
  readonly #schedule: Schedule
  readonly #store: MemoryStore
  readonly #parts: Parts
  readonly #random: Random
  readonly #trace: Trace | undefined
  readonly #writer: SliceWriter
  readonly #invocations = new Map<Actor, Invocation>()
  readonly #idle: Instance[] = []
  #instances = 0

  constructor(schedule: Schedule, store: MemoryStore, parts: Parts, random: Random, trace?: Trace) {
    this.#schedule = schedule
    this.#store = store
    this.#parts = parts
    this.#random = random
    this.#trace = trace
    this.#writer = new SliceWriter(random)
  }

  /** What an actor is at work on; undefined when it is no instance of the function. */
  invocationOf(actor: Actor): Invocation | undefined {
    return this.#invocations.get(actor)
  }

  /** Has an instance land a delivery and its trigger hear of the end. @param failed hears of an error */
  async invoke(trigger: Trigger, delivery: Delivery, failed: (error: Error) => void): Promise<void> {
    const { topic } = trigger
    const { records, mode, code } = delivery
    const instance = this.#instance()
    const { actor } = instance
    this.#invocations.set(actor, { trigger, delivery })
    const offsets = records.map(({ offset }) => offset).join(' ')
    this.#trace?.event(actor.name, `gets a ${delivery.what} of ${topic.name} to ${mode}, ${code}: ${offsets}`)
    const attempts = new Set<string>()
    const begun = ({ id }: Attempt): void => {
      if (attempts.add(id).size > MOST_ATTEMPTS) throw new Error('a landing goes in circles')
    }
    const write = this.#parts.write(this.#writer.writes(topic, code, begun))
    const land = async (): Promise<void> => {
      const said = await instance.logOf(topic.id).land(records, write, mode)
      this.landings.push({ given: records.length, attempts, said })
    }
    await this.#schedule.begin(actor, land, (error) => {
      this.#invocations.delete(actor)
      this.#idle.push(instance)
      if (error === undefined) {
        trigger.answered(delivery)
      } else {
        trigger.failed(delivery)
        failed(error)
      }
    })
  }

  /** To be told when an actor was killed: its trigger hears nothing and delivers again. */
  killed(actor: Actor): void {
    const invocation = this.#invocations.get(actor)
    this.#invocations.delete(actor)
    invocation?.trigger.failed(invocation.delivery)
  }

  #instance(): Instance {
    const warm = this.#random.chance(WARM) ? this.#random.pick(this.#idle) : undefined
    if (warm === undefined) return new Instance(new Actor(`function ${++this.#instances}`, this.#store), this.#parts)
    this.#idle.splice(this.#idle.indexOf(warm), 1)
    return warm
  }
}

/**
 * A process with the logs that it has open: what each of them knows of the newest commit is as old as its last
 * delivery.
 */
class Instance {
  readonly actor: Actor
  readonly #parts: Parts
  readonly #logs = new Map<string, Pick<CommitLog, 'land'>>()

  constructor(actor: Actor, parts: Parts) {
    this.actor = actor
    this.#parts = parts
  }

  logOf(id: LogId): Pick<CommitLog, 'land'> {
    const log = this.#logs.get(logName(id)) ?? this.#parts.openLog(this.#parts.store(this.actor.store), id)
    this.#logs.set(logName(id), log)
    return log
  }
}
