import type * as z from 'zod'
import { compileEventPath } from '#shared/pipeline/event-path.ts'
import type { Rejection } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { RecordHeader } from '#shared/pipeline/record.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { type RetryOptions, STARTUP_MS } from './kafka-retries.ts'
import { type Position, TopicProducer } from './topic-producer.ts'

/** A pipeline as far as its producers have to know it; what `definePipeline` returns knows the type of its events. */
type Contract<E extends z.ZodType> = Pick<Pipeline, 'name' | 'topic' | 'unknownKeys'> & { readonly event: E }

export interface ProducerOptions<Event> extends Pick<RetryOptions, 'onPause'> {
  /** The clock, in milliseconds: `Date.now`. */
  readonly now: () => number
  /** Records of one key keep their order. Without it, or where it says null, a record has none. */
  readonly key?: (event: Event) => string | Uint8Array | null
  readonly headers?: (event: Event) => readonly RecordHeader[]
}

/** Sends events to the topic of a pipeline. */
export interface EventProducer<Event> {
  /**
   * @returns where the event is, once all replicas in sync have it
   * @throws EventInvalidError, before anything is sent; KafkaError when it was not acknowledged
   */
  send(event: Event): Promise<Position>
  /** Sends what is under way, and ends. */
  close(): Promise<void>
}

/** An event that the pipeline would make a dead letter of. */
class EventInvalidError extends Error {
  override readonly name = 'EventInvalidError'
  readonly rejection: Rejection

  constructor(pipeline: string, rejection: Rejection) {
    const at = rejection.field === null ? '' : `${rejection.field}: `
    super(`not an event for ${pipeline}: ${at}${rejection.message}`)
    this.rejection = rejection
  }
}

/**
 * A producer of what a pipeline reads: events are written as JSON and read again by the pipeline's own contract before they
 * are sent, so that none becomes a dead letter for what its contract says.
 * @throws KafkaError, as when there is no such topic
 */
export async function producerOf<E extends z.ZodType>(
  pipeline: Contract<E>,
  connection: KafkaConnection,
  options: ProducerOptions<z.input<E>>,
): Promise<EventProducer<z.input<E>>> {
  const { key, headers, ...retries } = options
  const encode = encoderOf(pipeline)
  const producer = await TopicProducer.open(connection, pipeline.topic, { ...retries, withinMs: STARTUP_MS })
  return {
    async send(event) {
      const value = encode(event)
      const found = key?.(event) ?? null
      const ofEvent = { key: typeof found === 'string' ? Buffer.from(found) : found, value }
      return producer.send(headers === undefined ? ofEvent : { ...ofEvent, headers: headers(event) })
    },
    close: () => producer.close(),
  }
}

/** Event → bytes that the pipeline takes. @throws EventInvalidError */
export function encoderOf(pipeline: Contract<z.ZodType>): (event: unknown) => Uint8Array {
  const read = compileEventPath(pipeline)
  return (event) => {
    const value = Buffer.from(stringify(event, pipeline.name))
    const step = read(value)
    if (!step.ok) throw new EventInvalidError(pipeline.name, step.rejection)
    return value
  }
}

/** JSON as the pipeline reads it: all digits of a bigint, and no number that JSON would make null of. */
function stringify(event: unknown, pipeline: string): string {
  const text: string | undefined = JSON.stringify(event, (field, part: unknown) => {
    if (typeof part === 'bigint') return (JSON as unknown as RawJson).rawJSON(String(part))
    if (typeof part !== 'number' || Number.isFinite(part)) return part
    throw new EventInvalidError(pipeline, { code: 'EVENT_INVALID', field, message: `JSON has no ${part}` })
  })
  return text ?? ''
}

/** In Node.js 22 and later (ECMAScript, "JSON.parse source text access"). */
interface RawJson {
  rawJSON(text: string): unknown
}
