import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Context } from 'aws-lambda'
import type { Lake } from '#shared/pipeline/commit.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { mskEventsOf, readValueFile } from '#shared/sources/value-file.ts'
import { lambdaHandler } from './lambda.ts'
import type { Telemetry } from './telemetry.ts'

/** A file that cannot be read as events. */
export class EventFileError extends Error {
  override readonly name = 'EventFileError'
}

/** One file of events, ready to be delivered: the MSK events it holds or becomes, and how many records that is. */
export interface EventFile {
  readonly name: string
  readonly records: number
  readonly events: () => Iterable<unknown>
}

export interface EventFileOptions {
  readonly topic: string
  /** Kafka partitions that the lines of a value file are spread over. */
  readonly partitions: number
  /** Records of an event made of a value file. */
  readonly batch: number
}

const unzip = promisify(gunzip)
const LAMBDA_TIMEOUT_MS = 14 * 60 * 1000

/**
 * Reads a file of MSK events (.json) or of record values, one a line (.ndjson, .jsonl); either may be gzipped (.gz).
 * `-` is standard input and holds values.
 * @throws EventFileError naming the file and what is wrong with it
 */
export async function readEventFile(name: string, options: EventFileOptions): Promise<EventFile> {
  const kind = name === '-' ? 'values' : kindOf(name)
  const content = await contentOf(name)
  if (kind === 'values') {
    const file = readValueFile(content, options.partitions)
    return { name, records: file.values.length, events: () => mskEventsOf(file, options.topic, options.batch) }
  }
  const events = mskEvents(name, content)
  return { name, records: events.reduce((sum: number, event) => sum + countRecords(event), 0), events: () => events }
}

/** Runs the pipeline's Lambda handler over files, one invocation after another. Stops at the first that fails. */
export async function runLocally(
  pipeline: Pipeline,
  files: readonly EventFile[],
  options: { readonly lake: Lake; readonly concurrency: number; readonly onSlice: (report: SliceReport) => void },
): Promise<void> {
  const telemetry: Telemetry = { begin() {}, slice: options.onSlice, failure() {}, end() {} }
  const handler = lambdaHandler(pipeline, { lake: options.lake, telemetry, concurrency: options.concurrency })
  let invocation = 0
  for (const file of files) {
    for (const event of file.events()) await handler(event, localContext(pipeline, invocation++))
  }
}

function localContext(pipeline: Pipeline, invocation: number): Context {
  const deadline = performance.now() + LAMBDA_TIMEOUT_MS
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: pipeline.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${pipeline.name}`,
    memoryLimitInMB: '1024',
    awsRequestId: `local-${invocation}`,
    logGroupName: `/aws/lambda/${pipeline.name}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => deadline - performance.now(),
    done() {},
    fail() {},
    succeed() {},
  }
}

async function contentOf(name: string): Promise<Uint8Array> {
  let raw: Buffer
  try {
    raw = name === '-' ? await readStandardInput() : await readFile(name)
  } catch (error) {
    throw new EventFileError(`cannot read ${name}: ${reasonOf(error)}`, { cause: error })
  }
  const isGzip = raw[0] === 0x1f && raw[1] === 0x8b
  if (!isGzip && name.endsWith('.gz')) throw new EventFileError(`cannot read ${name}: it is not gzip`)
  if (!isGzip) return raw
  try {
    return await unzip(raw)
  } catch (error) {
    throw new EventFileError(`cannot read ${name}: its gzip is damaged: ${reasonOf(error)}`, { cause: error })
  }
}

function kindOf(name: string): 'values' | 'events' {
  if (/\.(ndjson|jsonl)(\.gz)?$/.test(name)) return 'values'
  if (/\.json(\.gz)?$/.test(name)) return 'events'
  throw new EventFileError(`cannot tell what ${name} holds: MSK events end in .json, values in .ndjson or .ndjson.gz`)
}

/** One MSK event, or an array of them. */
function mskEvents(name: string, content: Uint8Array): unknown[] {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content))
    return Array.isArray(parsed) ? parsed : [parsed]
  } catch (error) {
    throw new EventFileError(`cannot read ${name} as an MSK event: it is not JSON`, { cause: error })
  }
}

/** For the progress bar only; what is malformed is for the handler to say. */
function countRecords(event: unknown): number {
  const records = (event as { records?: unknown } | null)?.records
  if (typeof records !== 'object' || records === null) return 0
  return Object.values(records).reduce((sum: number, list) => sum + (Array.isArray(list) ? list.length : 0), 0)
}

async function readStandardInput(): Promise<Buffer> {
  const { stdin } = await import('node:process')
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'no permission',
  }
  return reasons[code] ?? error.message
}
