import { epochKey, type LogId, type TopicId, topicPrefix } from '#shared/lake/log-keys.ts'
import { addTally, emptyTally, type Fault, type Tally } from './findings.ts'
import type { HistoryProof } from './history-proof.ts'

/** The logs of one life of a topic's offsets, as one generation of a pipeline reads it. */
export interface LogGroup extends Omit<LogId, 'partition'>, Readonly<Tally> {
  /** Kafka partitions, each with its log. */
  readonly partitions: number
  /** How many of these logs are sealed. */
  readonly sealed: number
}

/** What is proven, added up by the lives of topics. */
export class LogGroups {
  readonly #groups = new Map<string, { -readonly [part in keyof LogGroup]: LogGroup[part] }>()
  readonly #begun = new Set<string>()

  /** Notes that an epoch was begun. */
  begin(topic: TopicId, epoch: number): void {
    this.#begun.add(epochKey(topic, epoch))
  }

  /** Adds a log of which nothing has been added yet. */
  open(id: LogId): void {
    this.#groupOf(id).partitions += 1
  }

  add({ log, range, tally }: HistoryProof): void {
    const group = this.#groupOf(log.id)
    if (range?.isSeal === true) group.sealed += 1
    addTally(group, tally)
  }

  /** In the order in which they came. */
  list(): LogGroup[] {
    return [...this.#groups.values()]
  }

  /** Epochs that have commits, and that nobody would look into. */
  faults(): Fault[] {
    return this.list().flatMap((group) => {
      const object = epochKey(group, group.epoch)
      if (group.epoch === 0 || this.#begun.has(object)) return []
      return [{ object, fault: `is missing, but epoch ${group.epoch} has commits` }]
    })
  }

  #groupOf(id: LogId): { -readonly [part in keyof LogGroup]: LogGroup[part] } {
    const { pipeline, generation, cluster, topic, epoch } = id
    const name = `${topicPrefix(id)}e${epoch}`
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = { pipeline, generation, cluster, topic, epoch, partitions: 0, sealed: 0, ...emptyTally() }
      this.#groups.set(name, group)
    }
    return group
  }
}
