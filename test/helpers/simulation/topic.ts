import { type LogId, logPrefix } from '#shared/lake/log-keys.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { Random } from './random.ts'
import type { Workload } from './workload.ts'

/** Versions of the pipeline in the order in which they are deployed; the last one refuses as little as can be. */
export type Version = 0 | 1 | 2
export const FIXED: Version = 2

export type Verdict = 'written' | 'skipped' | 'rejected'

/** What each version makes of the records of a kind. */
const VERDICTS = {
  good: ['written', 'written', 'written'],
  /** Two rows. */
  double: ['written', 'written', 'written'],
  unwanted: ['skipped', 'skipped', 'skipped'],
  /** Refused until the fix, by the first version only, by the second only. */
  poison: ['rejected', 'rejected', 'written'],
  mended: ['rejected', 'written', 'written'],
  spoiled: ['written', 'rejected', 'written'],
  /** No longer wanted, or wanted from the second version on. */
  dropped: ['written', 'skipped', 'skipped'],
  adopted: ['skipped', 'written', 'written'],
  /** Refused for ever. */
  hopeless: ['rejected', 'rejected', 'rejected'],
} as const satisfies Record<string, readonly [Verdict, Verdict, Verdict]>

export type Kind = keyof typeof VERDICTS

export function verdictOf(kind: Kind, version: Version): Verdict {
  return VERDICTS[kind][version]
}

/** How many rows a record makes that is written. */
export function rowsOf(kind: Kind): number {
  return kind === 'double' ? 2 : 1
}

/** What a record is, before it has a value. */
export interface Nature {
  /** `p0@17`, and `p0.e1@17` in the next life of the topic: what names it in files and faults. */
  readonly name: string
  readonly kind: Kind
  /** 0 to 9: what a filter goes by. */
  readonly mark: number
}

/** The value of a record; null for a tombstone. */
export type ValueOf = (nature: Nature) => Uint8Array | null

/** In short which log is meant: `p0`, or `p0.e1` for the next life of that partition's offsets. */
export function logName({ partition, epoch }: Pick<LogId, 'partition' | 'epoch'>): string {
  return epoch === 0 ? `p${partition}` : `p${partition}.e${epoch}`
}

const KINDS = Object.keys(VERDICTS) as Kind[]
/** Producers' clocks differ by up to an hour. */
const CLOCK_SKEW_MS = 3_600_000

/** A Kafka partition in one life of its offsets: what is in it, and what a pipeline makes of each record. */
export class TopicPartition {
  readonly id: LogId
  readonly name: string
  readonly prefix: string
  readonly records: KafkaRecord[] = []
  readonly #natures = new Map<number, Nature>()
  readonly #random: Random
  readonly #valueOf: ValueOf
  readonly #holes: number
  readonly #odd: number
  #next: number

  constructor(id: LogId, random: Random, { valueOf, odd }: Pick<Workload, 'valueOf' | 'odd'>) {
    this.id = id
    this.name = logName(id)
    this.prefix = logPrefix(id)
    this.#random = random
    this.#valueOf = valueOf
    // Compaction and transactions leave holes.
    this.#holes = random.chance(0.5) ? 0.15 : 0
    this.#odd = random.chance(0.7) ? odd : 0
    // Retention may have taken the first ones.
    this.#next = id.epoch === 0 && random.chance(0.2) ? random.between(1, 1000) : 0
  }

  /** Adds so many offsets at its end; the first of them has a record. @param now in milliseconds since 1970 */
  produce(offsets: number, now: number): void {
    for (let i = 0; i < offsets; i++) {
      const offset = this.#next++
      if (i > 0 && this.#random.chance(this.#holes)) continue
      const kind = this.#random.chance(this.#odd) ? (this.#random.pick(KINDS) ?? 'good') : 'good'
      const nature: Nature = { name: `${this.name}@${offset}`, kind, mark: this.#random.between(0, 9) }
      this.#natures.set(offset, nature)
      const { topic, partition } = this.id
      const timestamp = now - this.#random.between(0, CLOCK_SKEW_MS)
      const value = this.#valueOf(nature)
      this.records.push({
        topic,
        partition,
        offset,
        timestamp,
        timestampType: 'CREATE_TIME',
        key: null,
        value,
        headers: [],
      })
    }
  }

  /** @throws RangeError when there is no such record */
  natureOf(offset: number): Nature {
    const nature = this.#natures.get(offset)
    if (nature === undefined) throw new RangeError(`${this.name} has no record at offset ${offset}`)
    return nature
  }

  has(offset: number): boolean {
    return this.#natures.has(offset)
  }
}
