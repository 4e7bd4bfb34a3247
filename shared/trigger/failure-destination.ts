import * as z from 'zod'
import { InletError } from '#shared/pipeline/errors.ts'
import type { PartitionRecords } from '#shared/pipeline/record.ts'
import { type KafkaSource, mskEvent } from './msk-event.ts'

/**
 * Why Lambda gives records up. The pages name the first two ("Capturing discarded batches for Amazon MSK…"; the first is
 * `RetriesExhausted` on another page); the third is what destinations of streams show.
 */
export type DiscardCondition = 'RetryAttemptsExhausted' | 'MaximumPayloadSizeExceeded' | 'RecordAgeExceeded'

/** Records that a trigger has given up: nothing delivers them any more. */
export interface Discarded {
  readonly condition: DiscardCondition
  readonly partitions: readonly PartitionRecords[]
  /** How often a function was invoked with them; 0 when they were too large or too old from the start. */
  readonly invocations: number
  /** When, in milliseconds since 1970. */
  readonly at: number
}

/** What a failure record says beside the batch itself. */
export interface FailureContext {
  readonly source: KafkaSource
  readonly functionArn: string
  /** UUID of the event source mapping. */
  readonly mappingId: string
  /** UUIDs of the last invocation and of the object, which are random. */
  readonly requestId: string
  readonly objectId: string
}

/**
 * The object that Lambda puts into an S3 failure destination (AWS Lambda Developer Guide, "Capturing discarded batches for
 * Amazon MSK and self-managed Apache Kafka event sources", "S3 destination example invocation record"). The page does not
 * say how Lambda names it: the key follows that of streams ("Retain discarded batch records for a Kinesis Data Streams
 * event source"), with the first partition in place of the shard. Who reads it must not rely on the key.
 */
export function failureObject(discarded: Discarded, context: FailureContext): { key: string; body: string } {
  const { condition, partitions, invocations, at } = discarded
  const { source, functionArn, mappingId, requestId, objectId } = context
  const payload = JSON.stringify(mskEvent(discarded, source))
  const record = {
    requestContext: { requestId, functionArn, condition, approximateInvokeCount: invocations },
    responseContext:
      invocations === 0 ? null : { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: new Date(at).toISOString(),
    KafkaBatchInfo: {
      batchSize: partitions.reduce((sum, { records }) => sum + records.length, 0),
      ...(source.eventSource === 'aws:kafka' ? { eventSourceArn: source.arn } : {}),
      bootstrapServers: source.bootstrapServers,
      payloadSize: Buffer.byteLength(payload),
      recordsInfo: Object.fromEntries(partitions.map((slice) => [groupOf(slice), recordsInfo(slice)])),
    },
    payload,
  }
  const [first] = partitions
  const time = new Date(at).toISOString().slice(0, 19)
  const day = time.slice(0, 10).replaceAll('-', '/')
  const name = `${time.replaceAll(':', '.')}-${objectId}`
  const group = first === undefined ? 'none' : groupOf(first)
  return { key: `aws/lambda/${mappingId}/${group}/${day}/${name}`, body: JSON.stringify(record) }
}

const MOST_TIME = 8.64e15

function groupOf({ topic, partition }: PartitionRecords): string {
  return `${topic}-${partition}`
}

function recordsInfo({ records }: PartitionRecords): object {
  const [first, last] = [records[0], records.at(-1)]
  // Producers may set any 64-bit number; a Date holds less.
  const timeOf = (timestamp = 0): string => new Date(Math.max(-MOST_TIME, Math.min(timestamp, MOST_TIME))).toISOString()
  return {
    firstRecordOffset: String(first?.offset),
    lastRecordOffset: String(last?.offset),
    firstRecordTimestamp: timeOf(first?.timestamp),
    lastRecordTimestamp: timeOf(last?.timestamp),
  }
}

/** A failure record that was taken apart. */
export interface FailureRecord {
  /** Of the last invocation. */
  readonly requestId: string
  readonly functionArn: string
  /** A `DiscardCondition`, as far as the pages tell. */
  readonly condition: string
  readonly invocations: number
  /** ISO 8601. */
  readonly timestamp: string
  /** The event of the invocation, as it was parsed and not checked yet: `parseMskEvent` reads it. */
  readonly event: unknown
}

/** What is read of the record. What else Lambda may put beside it is let through. */
const Envelope = z.looseObject({
  requestContext: z.looseObject({
    requestId: z.string(),
    functionArn: z.string(),
    condition: z.string(),
    approximateInvokeCount: z.int().min(0),
  }),
  version: z.literal('1.0'),
  timestamp: z.iso.datetime({ offset: true }),
  KafkaBatchInfo: z.looseObject({ bootstrapServers: z.string(), payloadSize: z.int().min(0) }),
  payload: z.string({ error: 'expected the event as text: only S3 destinations keep it' }),
})

/** What says that the payload is an event; the rest is for `parseMskEvent`. */
const Event = z.looseObject({ eventSource: z.string(), records: z.record(z.string(), z.unknown()) })

/**
 * Takes an object of an S3 failure destination apart.
 * @throws InletError EVENT_MALFORMED naming the property at fault
 */
export function parseFailureRecord(body: Uint8Array | string): FailureRecord {
  const envelope = Envelope.safeParse(parseJson(body, 'the record'))
  if (!envelope.success) throw malformed(envelope.error)
  const { requestContext, timestamp, payload } = envelope.data
  const event = Event.safeParse(parseJson(payload, 'payload'))
  if (!event.success) throw malformed(event.error, 'payload')
  const { requestId, functionArn, condition, approximateInvokeCount: invocations } = requestContext
  return { requestId, functionArn, condition, invocations, timestamp, event: event.data }
}

function parseJson(body: Uint8Array | string, what: string): unknown {
  try {
    const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body)
    return JSON.parse(text)
  } catch (error) {
    throw new InletError('EVENT_MALFORMED', `not a failure record: ${what} is not JSON`, { cause: error })
  }
}

function malformed(error: z.ZodError, within?: string): InletError {
  const [issue] = error.issues
  const path = [...(within === undefined ? [] : [within]), ...(issue?.path ?? [])].join('.')
  return new InletError('EVENT_MALFORMED', `not a failure record: ${path || 'the record'}: ${issue?.message ?? ''}`)
}
