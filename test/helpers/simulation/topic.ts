import type { LogId } from '#shared/lake/log-keys.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { Random } from './random.ts'

/** The pipeline's code: what is deployed refuses some records, the fixed one none. */
export type Code = 'deployed' | 'fixed'

const HOUR = 3_600_000

/** In short which log is meant: `p0`, or `p0.e1` for the next life of that partition's offsets. */
export function logName({ partition, epoch }: Pick<LogId, 'partition' | 'epoch'>): string {
  return epoch === 0 ? `p${partition}` : `p${partition}.e${epoch}`
}

/** A Kafka partition in one life of its offsets: what is in it, and what a pipeline would make of each record. */
export class TopicPartition {
  readonly id: LogId
  readonly name: string
  readonly records: readonly KafkaRecord[]
  readonly #poison = new Set<KafkaRecord>()
  readonly #unwanted = new Set<KafkaRecord>()

  /** @param length in offsets: compaction and transactions leave holes, and retention may have taken the first ones */
  constructor(partition: number, epoch: number, length: number, random: Random) {
    this.id = { pipeline: 'flights', generation: 0, cluster: 'test', topic: 'flights', epoch, partition }
    this.name = logName(this.id)
    const holes = random.chance(0.5) ? 0.15 : 0
    const poison = random.chance(0.5) ? 0.2 : 0
    const unwanted = random.chance(0.5) ? 0.1 : 0
    const first = random.chance(0.2) ? random.between(1, 1000) : 0
    const records: KafkaRecord[] = []
    for (let offset = first, end = first + length; offset < end; offset++) {
      if (random.chance(holes)) continue
      const record = recordAt(partition, offset, random)
      records.push(record)
      if (random.chance(poison)) this.#poison.add(record)
      else if (random.chance(unwanted)) this.#unwanted.add(record)
    }
    this.records = records
  }

  /** The record at an offset, as files and faults name it. */
  position(offset: number): string {
    return `${this.name}@${offset}`
  }

  outcomeOf(record: KafkaRecord, code: Code): 'written' | 'skipped' | 'rejected' {
    if (this.#unwanted.has(record)) return 'skipped'
    return code === 'deployed' && this.#poison.has(record) ? 'rejected' : 'written'
  }
}

/** Producers' clocks differ by up to an hour. */
function recordAt(partition: number, offset: number, random: Random): KafkaRecord {
  const timestamp = 1_700_000_000_000 + offset * 1000 + random.between(0, HOUR)
  const value = Buffer.from(`${partition}/${offset}`)
  return {
    topic: 'flights',
    partition,
    offset,
    timestamp,
    timestampType: 'CREATE_TIME',
    key: null,
    value,
    headers: [],
  }
}
