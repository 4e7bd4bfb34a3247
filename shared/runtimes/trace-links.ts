import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Environment } from '#shared/config.ts'
import type { KafkaRecord, PartitionRecords } from '#shared/pipeline/record.ts'

/**
 * How a batch is seen in traces. Producers that trace put `traceparent` into the headers of their records (W3C Trace Context): a
 * batch has many such parents, and is the child of none, so that it is linked with them. The invocation's own trace is Lambda's
 * (X-Ray); its part named after the pipeline has the links, as the exporters of OpenTelemetry for X-Ray write those of a span.
 * It goes to the daemon that Lambda runs beside a function, by UDP: nothing waits for it, and nothing fails for it.
 */

/** Of a batch: it may have 10,000 records of as many traces. The first of its records are as good as others. */
const MOST_LINKS = 32

/** Where a record comes from. */
export interface TraceParent {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string
  readonly spanId: string
}

/** The traces that records of a batch come from and that are kept by somebody (`sampled`), each once, MOST_LINKS at the most. */
export function sampledParents(partitions: readonly PartitionRecords[]): readonly TraceParent[] {
  const parents = new Map<string, TraceParent>()
  for (const { records } of partitions) {
    for (const record of records) {
      const parent = parentOf(record)
      if (parent !== undefined && !parents.has(parent.traceId)) parents.set(parent.traceId, parent)
      if (parents.size === MOST_LINKS) return [...parents.values()]
    }
  }
  return [...parents.values()]
}

/** Section 3.2 of W3C Trace Context: version, trace-id, parent-id, flags. Later versions may have more behind these. */
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?<traceId>(?!0{32})[0-9a-f]{32})-(?<spanId>(?!0{16})[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?:$|(?<!^00.*)-)/
const SAMPLED = 1

function parentOf({ headers }: KafkaRecord): TraceParent | undefined {
  const header = headers.find(({ name }) => name.toLowerCase() === 'traceparent')
  if (header === undefined || header.value.length > 256) return undefined
  const {
    traceId = '',
    spanId = '',
    flags = '0',
  } = TRACEPARENT.exec(Buffer.from(header.value).toString())?.groups ?? {}
  return Number.parseInt(flags, 16) & SAMPLED ? { traceId, spanId } : undefined
}

/** What a pipeline did with a batch. */
export interface TracedBatch {
  readonly pipeline: string
  readonly topic: string
  readonly partitions: readonly PartitionRecords[]
  /** Milliseconds since 1970. */
  readonly began: number
  readonly ended: number
  readonly failed: boolean
}

/**
 * Tells X-Ray of a batch that comes from other traces, when the invocation is traced itself.
 * @param environment as it is in the invocation: Lambda says there which trace is its ("Defined runtime environment variables")
 * @returns once it is sent, or cannot be
 */
export async function linkTraces(batch: TracedBatch, environment: Environment): Promise<void> {
  const { _X_AMZN_TRACE_ID: header = '', AWS_XRAY_DAEMON_ADDRESS: daemon = '' } = environment
  const { root, parent } = /^Root=(?<root>[^;]+);Parent=(?<parent>[^;]+);Sampled=1(?:;|$)/.exec(header)?.groups ?? {}
  const { host, port } = /^(?<host>[^:]+):(?<port>\d+)$/.exec(daemon)?.groups ?? {}
  if (root === undefined || parent === undefined || host === undefined) return
  const links = sampledParents(batch.partitions)
  if (links.length > 0) await send(subsegment(batch, links, { root, parent }), host, Number(port))
}

/** "AWS X-Ray segment documents", of a subsegment that is sent by itself; `links` as in OpenTelemetry's model of it. */
function subsegment(
  { pipeline, topic, began, ended, failed }: TracedBatch,
  links: readonly TraceParent[],
  { root, parent }: { readonly root: string; readonly parent: string },
): object {
  return {
    type: 'subsegment',
    id: randomBytes(8).toString('hex'),
    trace_id: root,
    parent_id: parent,
    name: pipeline,
    start_time: began / 1000,
    end_time: ended / 1000,
    ...(failed && { fault: true }),
    annotations: { pipeline, topic },
    links: links.map(({ traceId, spanId }) => ({ trace_id: xrayId(traceId), id: spanId })),
  }
}

/** X-Ray writes the same 32 digits in three parts. */
function xrayId(traceId: string): string {
  return `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`
}

function send(document: object, host: string, port: number): Promise<void> {
  const socket = createSocket('udp4')
  const message = `{"format":"json","version":1}\n${JSON.stringify(document)}`
  const { promise, resolve } = Promise.withResolvers<void>()
  // Of a socket that cannot be opened `send` is not told.
  socket.once('error', () => resolve())
  socket.send(message, port, host, () => resolve())
  return promise.finally(() => socket.close())
}
