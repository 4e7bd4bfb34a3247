import { ANY_TIME, type Incident, INCIDENTS, startCommitters, versionOfRedrive, WHILE_DELIVERING } from './incidents.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { auditLog } from './log-audit.ts'
import type { Process } from './process.ts'
import type { Odds } from './random.ts'
import { FIXED, type TopicPartition, verdictOf } from './topic.ts'
import type { World } from './world.ts'

/** The least that a schedule is made of: one that would end with less is given more records. */
export const FLOOR = { slices: 8, processes: 3, kills: 1 }

/** Far more calls than any schedule needs: one that gets here goes in circles. */
const MOST_STEPS = 8000
const MOST_TURNS = 8000
const MOST_ROUNDS = 150
/** Every so many turns the mapping is asked what it wants. */
const POLL_EVERY = 6
const TURN_MS = 30
/** How often Lambda has no room for an invocation. */
const THROTTLED = 0.02
/** Offsets that are produced to a schedule that has not come to much. */
const MORE = 6

/**
 * What happens in a world, in the order that its seed decides: batches are delivered while everything that can go wrong
 * does, then what is open is redriven until nothing is, then the tables catch up.
 */
export class Script {
  readonly #world: World
  /** The schedule is short of a kill. */
  #owesKill = false

  constructor(world: World) {
    this.#world = world
  }

  /** Yields after each turn: all that follows from it at once has to happen before the next. */
  *run(): Generator<void, void> {
    yield* this.#deliver()
    yield* this.#settle()
    yield* this.#catchUp()
  }

  *#deliver(): Generator<void, void> {
    const { source, starts } = this.#world
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      source.pass(TURN_MS)
      if (starts.length === 0 && turn % POLL_EVERY === 0) {
        this.#poll()
        if (starts.length === 0 && source.isDone && !this.#goesOn()) return
      }
      if (!this.#turn(WHILE_DELIVERING)) this.#wake()
      yield
    }
    throw new Error(`not delivered after ${MOST_TURNS} turns`)
  }

  /** Filtered records are replayed and what is still open is redriven: in pieces, twice, in vain, until nothing is open. */
  *#settle(): Generator<void, void> {
    const { source, surprises, tables, random } = this.#world
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const open = source.partitions.filter((partition) => this.#settlePartition(partition))
      for (const table of open.length > 0 ? tables : []) {
        if (random.chance(0.2)) startCommitters(this.#world, table)
        if (random.chance(0.2)) this.#world.start(() => this.#world.vacuum(table))
      }
      while (this.#turn(ANY_TIME)) yield
      if (open.length === 0) return
    }
    surprises.push(`after ${MOST_ROUNDS} rounds of redrives records are still open`)
  }

  /** Nothing goes wrong any more: the tables take what is left, and a last vacuum runs. */
  *#catchUp(): Generator<void, void> {
    const { lambda, schedule, tables } = this.#world
    lambda.retire()
    schedule.calm()
    for (const table of tables) {
      this.#world.start(() => this.#world.commit(table))
      this.#world.start(() => this.#world.vacuum(table))
    }
    while (this.#turn(NOTHING)) yield
  }

  /** A process begins, or makes a call, or something happens instead. @returns whether there was any */
  #turn(odds: Odds<Incident>): boolean {
    const { starts, schedule, events } = this.#world
    const start = starts.shift()
    if (start !== undefined) {
      start()
      return true
    }
    const call = schedule.pick()
    if (call === undefined) {
      for (const { name } of schedule.busy) throw new Error(`${name} waits for nothing that could come`)
      return false
    }
    if (schedule.steps > MOST_STEPS) throw new Error(`no end after ${MOST_STEPS} calls`)
    const incident = this.#isOwedTo(call.process) ? 'kill' : events.one(odds)
    if (incident === undefined || INCIDENTS[incident](this.#world, call.process) !== true) schedule.step(call)
    return true
  }

  /** The mapping reads, and says what to invoke the function with. */
  #poll(): void {
    const world = this.#world
    for (const batch of world.source.poll()) {
      if (world.events.happens(THROTTLED)) world.source.failed(batch, 'throttled')
      else world.start(() => world.deliver(batch))
    }
  }

  /** Nobody is at work, so that whoever waits for the time has no reason to. */
  #wake(): void {
    const world = this.#world
    if (world.source.passUntilDue()) this.#poll()
    else world.changeEpoch()
  }

  /** All that there is has been delivered: whether there is to be more, in this life of the topic or in the next. */
  #goesOn(): boolean {
    const { source, lambda, processes, kills, plan, isEpochChanged } = this.#world
    if (source.recreate() || (source.life > 0 && !isEpochChanged)) return true
    const { slices, instances } = lambda
    const isEnough = slices >= FLOOR.slices && instances + processes >= FLOOR.processes && kills >= FLOOR.kills
    if (isEnough || plan.isShort === true) return false
    this.#owesKill = kills < FLOOR.kills
    source.produce(MORE)
    return true
  }

  #isOwedTo(process: Process): boolean {
    if (!this.#owesKill || this.#world.lambda.invocationOf(process)?.what !== 'batch') return false
    this.#owesKill = false
    return true
  }

  /** @returns whether there was a record without a row that somebody should see to */
  #settlePartition(partition: TopicPartition): boolean {
    const world = this.#world
    const { source, random } = world
    const { settled, rejected } = auditLog(world.bucket.objects, partition.prefix)
    const isHopeless = ({ offset }: KafkaRecord): boolean =>
      rejected.has(offset) && verdictOf(partition.natureOf(offset).kind, FIXED) === 'rejected'
    const open = partition.records.filter((record) => !settled.has(record.offset) && !isHopeless(record))
    const by = Map.groupBy(open, (record) => {
      if (rejected.has(record.offset)) return 'dead letters'
      if (source.discarded.has(record)) return 'failed batches'
      return source.delivered.has(record) ? 'lost' : 'held back'
    })
    for (const records of random.pieces(by.get('held back') ?? [], 4))
      world.start(() => world.stray('replay', partition, records))
    for (const what of ['dead letters', 'failed batches'] as const) {
      for (const piece of random.pieces(random.shuffled(by.get(what) ?? []), 5)) {
        const records = piece.sort((a, b) => a.offset - b.offset)
        for (let times = random.chance(0.3) ? 2 : 1; times > 0; times--)
          world.start(() => world.redrive(partition, what, records, versionOfRedrive(world)))
      }
    }
    by.delete('lost')
    return by.size > 0
  }
}

const NOTHING: Odds<Incident> = []
