import { type OffsetRange, rangesOf, rangesSize } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { readMskEvents } from '#shared/runtimes/event-file.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'

/** What an event holds of one Kafka partition. */
export interface PartitionSummary {
  readonly partition: number
  readonly records: number
  readonly offsets: OffsetRange
  /** Offsets between the first and the last that the event does not have. */
  readonly gaps: readonly OffsetRange[]
  /** Offsets that it has more than once. */
  readonly repeated: readonly number[]
  /** The least and the greatest timestamp, in milliseconds. */
  readonly timestamps: readonly [first: number, last: number]
  readonly timestampTypes: readonly KafkaRecord['timestampType'][]
  /** Bytes of keys, values and headers. */
  readonly bytes: number
  /** Characters of keys and values in base64, as the event carries them. */
  readonly base64: number
  readonly nullKeys: number
  readonly tombstones: number
  /** Values of no bytes, which are no tombstones. */
  readonly emptyValues: number
  readonly headers: readonly string[]
}

/** What a trigger event holds. */
export interface EventSummary {
  readonly file: string
  /** Which event of the file, from 0. */
  readonly index: number
  readonly cluster: string
  readonly topic: string
  /** Bytes of the event as the shortest JSON: what counts against Lambda's limit. */
  readonly payload: number
  readonly partitions: readonly PartitionSummary[]
}

/** An event that was taken apart: its summary and its records, by partition and offset. */
export interface InspectedEvent {
  readonly summary: EventSummary
  readonly records: readonly KafkaRecord[]
}

/**
 * Takes the MSK events of a file apart, as the Lambda handler does.
 * @throws EventFileError when the file cannot be read; InletError EVENT_MALFORMED naming file, record and property
 */
export async function inspectFile(file: string): Promise<InspectedEvent[]> {
  const events = await readMskEvents(file)
  return events.map((event, index) => {
    try {
      return inspectEvent(event, file, index)
    } catch (error) {
      if (!(error instanceof InletError)) throw error
      const where = events.length === 1 ? file : `${file}, event ${index}`
      throw new InletError(error.code, `${where}: ${error.message}`, { cause: error })
    }
  })
}

function inspectEvent(event: unknown, file: string, index: number): InspectedEvent {
  const { source, partitions } = parseMskEvent(event)
  const sorted = partitions.toSorted((a, b) => a.partition - b.partition)
  const summary = {
    file,
    index,
    ...source,
    payload: Buffer.byteLength(JSON.stringify(event)),
    partitions: sorted.map(({ partition, records }) => summaryOf(partition, records)),
  }
  return { summary, records: sorted.flatMap(({ records }) => records) }
}

/** @param records at least one, in offset order */
function summaryOf(partition: number, records: readonly KafkaRecord[]): PartitionSummary {
  const offsets = records.map(({ offset }) => offset)
  const repeated = offsets.filter((offset, i) => offset === offsets[i - 1])
  const covered = rangesOf([...new Set(offsets)])
  const gaps = covered.slice(1).map(([first], i): OffsetRange => [(covered[i]?.[1] ?? 0) + 1, first - 1])
  const timestamps = records.map(({ timestamp }) => timestamp).sort((a, b) => a - b)
  return {
    partition,
    records: records.length,
    offsets: [offsets[0] ?? 0, offsets.at(-1) ?? 0],
    gaps,
    repeated: [...new Set(repeated)],
    timestamps: [timestamps[0] ?? 0, timestamps.at(-1) ?? 0],
    timestampTypes: [...new Set(records.map(({ timestampType }) => timestampType))].sort(),
    bytes: records.reduce((sum, record) => sum + sizeOf(record), 0),
    base64: records.reduce((sum, { key, value }) => sum + base64Length(key) + base64Length(value), 0),
    nullKeys: records.filter(({ key }) => key === null).length,
    tombstones: records.filter(({ value }) => value === null).length,
    emptyValues: records.filter(({ value }) => value?.length === 0).length,
    headers: [...new Set(records.flatMap(({ headers }) => headers.map(({ name }) => name)))].sort(),
  }
}

function sizeOf({ key, value, headers }: KafkaRecord): number {
  const inHeaders = headers.reduce((sum, header) => sum + Buffer.byteLength(header.name) + header.value.length, 0)
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders
}

function base64Length(bytes: Uint8Array | null): number {
  return 4 * Math.ceil((bytes?.length ?? 0) / 3)
}

/** How many offsets are missing between the first and the last of a partition. */
export function missingOffsets({ gaps }: PartitionSummary): number {
  return rangesSize(gaps)
}
