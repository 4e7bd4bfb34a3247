import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { defineTrigger, type Trigger } from '#shared/pipeline/trigger.ts'
import { EventSourceMapping, type MappingOptions } from '#shared/trigger/event-source-mapping.ts'
import type { Invocation } from '#shared/trigger/batch.ts'
import type { KafkaSource } from '#shared/trigger/msk-event.ts'
import { kafkaRecord } from './kafka-record.ts'

export const SOURCE: KafkaSource = {
  eventSource: 'aws:kafka',
  arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
  bootstrapServers: 'boot-1.demo.kafka.us-east-1.amazonaws.com:9098',
}

/** A trigger of any settings, also of those that no declaration could have. */
export function triggerOf(settings: Partial<Trigger> = {}): Trigger {
  return { ...defineTrigger(), batchingWindowSeconds: 0, batchSize: 100, ...settings }
}

/** What a trigger in provisioned mode declares. */
export const PROVISIONED = { mode: 'provisioned', pollers: { minimum: 1, maximum: 10 } } as const

/** A Kafka topic: records by partition, which may grow. */
export class Topic {
  readonly partitions: readonly KafkaRecord[][]

  /** @param lengths of its partitions: records at the offsets from 0 on */
  constructor(...lengths: readonly number[]) {
    this.partitions = lengths.map(() => [])
    for (const [partition, length] of lengths.entries()) this.append(partition, length)
  }

  append(partition: number, count: number, changes: Partial<KafkaRecord> = {}): void {
    const records = this.partitions[partition] ?? []
    for (let i = 0; i < count; i++) {
      const offset = (records.at(-1)?.offset ?? -1) + 1
      records.push(kafkaRecord(`${partition}@${offset}`, { partition, offset, timestamp: offset, ...changes }))
    }
  }

  /** A mapping that begins at offset 0 of each partition. */
  mapping(trigger: Trigger, options?: MappingOptions): EventSourceMapping {
    const start = new Map(this.partitions.map((_, partition) => [partition, 0]))
    return new EventSourceMapping(trigger, 'flights', start, SOURCE, options)
  }

  /** Offers a mapping all that it wants and the topic has. */
  feed(mapping: EventSourceMapping): void {
    for (let isNew = true; isNew; ) {
      isNew = false
      for (const { partition, from, atMost } of mapping.wanted()) {
        const rest = (this.partitions[partition] ?? []).filter(({ offset }) => offset >= from)
        if (rest.length === 0) continue
        mapping.offer({ partition, from, records: rest.slice(0, atMost) })
        isNew = true
      }
    }
  }

  /** Feeds a mapping and begins what is due. */
  due(mapping: EventSourceMapping, now: number): Invocation[] {
    this.feed(mapping)
    return mapping.due(now)
  }
}

/** The one invocation that is due. */
export function only(invocations: readonly Invocation[]): Invocation {
  const [first, ...others] = invocations
  if (first === undefined || others.length > 0)
    throw new Error(`expected one invocation, found ${invocations.map(shown).join(' | ')}`)
  return first
}

/** The answer of a function that could not land these records of the topic. */
export const failures = (...items: readonly [partition: number, offset: number][]) => ({
  batchItemFailures: items.map(([partition, offset]) => ({
    itemIdentifier: { partition: `flights-${partition}`, offset },
  })),
})

/** What an invocation delivers, in short: `0@0…4 1@7`. */
export function shown({ partitions }: Pick<Invocation, 'partitions'>): string {
  return partitions.map(({ partition, records }) => `${partition}@${rangesText(records)}`).join(' ')
}

function rangesText(records: readonly KafkaRecord[]): string {
  const ranges: [first: number, last: number][] = []
  for (const { offset } of records) {
    const range = ranges.at(-1)
    if (range !== undefined && range[1] === offset - 1) range[1] = offset
    else ranges.push([offset, offset])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}…${last}`)).join(',')
}
