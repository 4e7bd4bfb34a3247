import { readFile } from 'node:fs/promises'
import { stdin } from 'node:process'
import { type Compression, compressionOf, decompress } from '#shared/sources/compressed.ts'
import { readValueFile, type ValueFile } from '#shared/sources/value-file.ts'

/** A file that cannot be read as events. */
class EventFileError extends Error {
  override readonly name = 'EventFileError'
}

/** One file of events: MSK events, which are invocations already, or values, which a trigger makes batches of. */
export type EventFile = {
  readonly name: string
  /** How many there are; for events only as far as they can be counted. */
  readonly records: number
} & (
  | { readonly kind: 'events'; readonly events: readonly unknown[] }
  | { readonly kind: 'values'; readonly values: ValueFile }
)

/** The name of standard input. */
const STANDARD_INPUT = '-'

/**
 * Reads a file of MSK events (.json) or of record values, one a line (.ndjson, .jsonl), plain or compressed (.gz, .zst).
 * Standard input may be either: an MSK event is one object that has an `eventSource`.
 * @param partitions Kafka partitions that the lines of a file of values are spread over
 * @throws EventFileError naming the file and what is wrong with it
 */
export async function readEventFile(name: string, partitions: number): Promise<EventFile> {
  const kind = kindOf(name)
  const content = await contentOf(name)
  const isEvents = kind === 'events' || (kind === 'either' && isMskEvent(content))
  if (isEvents) {
    const events = mskEvents(name, content)
    return {
      kind: 'events',
      name,
      records: events.reduce((sum: number, event) => sum + countRecords(event), 0),
      events,
    }
  }
  const values = readValueFile(content, partitions)
  return { kind: 'values', name, records: values.values.length, values }
}

/**
 * The MSK events of a file (.json, plain or compressed) or of standard input, as they were parsed and not checked yet.
 * @throws EventFileError naming the file and what is wrong with it
 */
export async function readMskEvents(name: string): Promise<readonly unknown[]> {
  if (kindOf(name) === 'values') throw new EventFileError(`${name} holds values, one a line, and no MSK events`)
  return mskEvents(name, await contentOf(name))
}

function kindOf(name: string): 'values' | 'events' | 'either' {
  if (name === STANDARD_INPUT) return 'either'
  if (/\.(ndjson|jsonl)(\.(gz|zst))?$/.test(name)) return 'values'
  if (/\.json(\.(gz|zst))?$/.test(name)) return 'events'
  throw new EventFileError(
    `cannot tell what ${name} holds: MSK events end in .json, values in .ndjson or .jsonl, and either may end in .gz or .zst`,
  )
}

async function contentOf(name: string): Promise<Uint8Array> {
  let raw: Buffer
  try {
    raw = name === STANDARD_INPUT ? await readStandardInput() : await readFile(name)
  } catch (error) {
    throw new EventFileError(`cannot read ${shown(name)}: ${reasonOf(error)}`, { cause: error })
  }
  const compression = compressionOf(raw)
  const promised = promisedCompression(name)
  if (promised !== undefined && compression !== promised)
    throw new EventFileError(`cannot read ${name}: it is not ${promised}`)
  if (compression === undefined) return raw
  try {
    return decompress(raw, compression)
  } catch (error) {
    throw new EventFileError(`cannot read ${shown(name)}: its ${compression} is damaged: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

function promisedCompression(name: string): Compression | undefined {
  if (name.endsWith('.gz')) return 'gzip'
  return name.endsWith('.zst') ? 'zstd' : undefined
}

/** One MSK event, or an array of them. */
function mskEvents(name: string, content: Uint8Array): readonly unknown[] {
  const parsed = parseJson(content)
  if (parsed === undefined) throw new EventFileError(`cannot read ${shown(name)} as an MSK event: it is not JSON`)
  return Array.isArray(parsed) ? parsed : [parsed]
}

/** Whether content is one MSK event and not values, one a line. */
function isMskEvent(content: Uint8Array): boolean {
  const first = content.find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte))
  if (first !== 0x7b || Buffer.from(content.buffer, content.byteOffset, content.length).indexOf(EVENT_SOURCE) === -1)
    return false
  const parsed = parseJson(content)
  return typeof parsed === 'object' && parsed !== null && 'eventSource' in parsed
}

const EVENT_SOURCE = '"eventSource"'

/** @returns undefined for what is not JSON */
function parseJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content))
  } catch {
    return undefined
  }
}

/** For the progress bar only; what is malformed is for the handler to say. */
function countRecords(event: unknown): number {
  const records = (event as { records?: unknown } | null)?.records
  if (typeof records !== 'object' || records === null) return 0
  return Object.values(records).reduce((sum: number, list) => sum + (Array.isArray(list) ? list.length : 0), 0)
}

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}

function shown(name: string): string {
  return name === STANDARD_INPUT ? 'standard input' : name
}

/** @param error of Node's own, which are `Error`s */
function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'no permission',
  }
  return reasons[code] ?? message
}
