import * as z from 'zod'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Delivery } from '#shared/pipeline/process-batch.ts'
import type { KafkaRecord, RecordHeader } from '#shared/pipeline/record.ts'

/** Kafka numbers partitions with 32 bits, and so does the column `_kafka_partition`. */
const MAX_PARTITION = 2 ** 31 - 1

/** The envelope. Its records are checked one by one below: a schema would cost more than decoding them. */
const Envelope = z.object({
  // AWS's own examples of self-managed Kafka have it with and without the prefix.
  eventSource: z.enum(['aws:kafka', 'SelfManagedKafka', 'aws:SelfManagedKafka']),
  eventSourceArn: z.string().optional(),
  records: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))),
})

/**
 * What Lambda's event source mapping sends (AWS Lambda Developer Guide, "Using Lambda with Amazon MSK", example event) as
 * records by Kafka partition, in offset order.
 * @throws InletError EVENT_MALFORMED naming the record and the property at fault.
 */
export function parseMskEvent(event: unknown): Delivery {
  const envelope = Envelope.safeParse(event)
  if (!envelope.success) {
    const [issue] = envelope.error.issues
    throw malformed(`${issue?.path.join('.') || 'the event'}: ${issue?.message ?? 'not an MSK event'}`)
  }
  const { eventSource, eventSourceArn, records } = envelope.data
  const byPartition = new Map<number, KafkaRecord[]>()
  const topics = new Set<string>()
  for (const [group, items] of Object.entries(records)) {
    for (const [i, item] of items.entries()) {
      const record = parseRecord(item, `records["${group}"][${i}]`)
      topics.add(record.topic)
      const partition = byPartition.get(record.partition)
      if (partition === undefined) byPartition.set(record.partition, [record])
      else partition.push(record)
    }
  }
  const [topic, another] = topics
  if (topic === undefined) throw malformed('records: there is none')
  if (another !== undefined)
    throw malformed(`records: of the topics "${topic}" and "${another}"; a trigger has one topic`)
  const partitions = [...byPartition].map(([partition, list]) => {
    return { topic, partition, records: list.sort((a, b) => a.offset - b.offset) }
  })
  return { source: { cluster: clusterOf(eventSource, eventSourceArn), topic }, partitions }
}

/**
 * The cluster's identity: name and uuid of its ARN, which a replaced cluster does not share. Self-managed Kafka has no
 * ARN, and its list of servers changes in the cluster's life: there the topic alone is the identity, and a replaced
 * cluster shows as offsets that start again.
 */
function clusterOf(eventSource: string, arn: string | undefined): string {
  if (eventSource !== 'aws:kafka') return 'self-managed'
  const path = /^arn:[^:]+:kafka:[^:]*:[^:]*:cluster\/(?<name>[^/]+)\/(?<uuid>[^/]+)$/.exec(arn ?? '')?.groups
  if (path === undefined)
    throw malformed(`eventSourceArn: expected the ARN of an MSK cluster, found ${JSON.stringify(arn)}`)
  return `${path['name']}.${path['uuid']}`
}

function parseRecord(item: Record<string, unknown>, where: string): KafkaRecord {
  const { topic, partition, offset, timestamp, timestampType } = item
  if (typeof topic !== 'string' || topic === '') throw malformed(`${where}.topic: expected a string`)
  return {
    topic,
    partition: integer(partition, 0, `${where}.partition`, MAX_PARTITION),
    offset: integer(offset, 0, `${where}.offset`),
    timestamp: integer(timestamp, Number.MIN_SAFE_INTEGER, `${where}.timestamp`),
    timestampType: timestampType === 'LOG_APPEND_TIME' ? 'LOG_APPEND_TIME' : 'CREATE_TIME',
    key: bytes(item['key'], `${where}.key`),
    value: bytes(item['value'], `${where}.value`),
    headers: headers(item['headers'], `${where}.headers`),
  }
}

function integer(value: unknown, least: number, where: string, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most)
    throw malformed(
      `${where}: expected an integer from ${least} to ${most === Number.MAX_SAFE_INTEGER ? '2^53 − 1' : most}, found ${JSON.stringify(value)}`,
    )
  return value
}

/** Base64 → bytes. Absent and null are null, "" is no bytes. Node skips what is not base64, so the length is checked. */
function bytes(value: unknown, where: string): Uint8Array | null {
  if (value === null || value === undefined) return null
  if (typeof value !== 'string') throw malformed(`${where}: expected base64 text or null`)
  const decoded = Buffer.from(value, 'base64')
  const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
  if (decoded.length !== Math.floor(((value.length - padding) * 3) / 4)) throw malformed(`${where}: not base64`)
  return decoded
}

/** Lambda sends each header as an object of one name and an array of Java bytes, −128 to 127. */
function headers(value: unknown, where: string): RecordHeader[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw malformed(`${where}: expected an array`)
  return value.flatMap((header: unknown, i) => {
    if (typeof header !== 'object' || header === null) throw malformed(`${where}[${i}]: expected an object`)
    return Object.entries(header).map(([name, signed]) => ({
      name,
      value: headerBytes(signed, `${where}[${i}].${name}`),
    }))
  })
}

function headerBytes(signed: unknown, where: string): Uint8Array {
  const isByte = (byte: unknown): boolean =>
    Number.isInteger(byte) && (byte as number) >= -128 && (byte as number) <= 255
  if (!Array.isArray(signed) || !signed.every(isByte)) throw malformed(`${where}: expected an array of bytes`)
  return Uint8Array.from(signed as number[])
}

function malformed(fault: string): InletError {
  return new InletError('EVENT_MALFORMED', `not an MSK event: ${fault}`)
}
