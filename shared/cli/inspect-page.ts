import { positionOf, type KafkaRecord } from '#shared/pipeline/record.ts'
import type { OffsetRange } from '#shared/pipeline/commit.ts'
import { type EventSummary, type InspectedEvent, missingOffsets, type PartitionSummary } from './inspect.ts'
import { bytesText, printable, shortened, timeText } from './printable.ts'
import { formatBytes, formatCount } from './progress.ts'
import { textTable } from './text-table.ts'
import { PAYLOAD_BYTES } from './trigger-limits.ts'

const MAX_RANGES = 6
const MAX_KEY = 24
const MAX_VALUE = 60

/** What an event holds, as a page for people. */
export function inspectPage({ summary, records }: InspectedEvent, withRecords: boolean): string {
  const { partitions, file, index, cluster, topic } = summary
  const heading = `${printable(file)}${index === 0 ? '' : `, event ${index}`}`
  const paragraphs = [
    [
      heading,
      '',
      `topic      ${printable(topic)}`,
      `cluster    ${printable(cluster)}`,
      `payload    ${payloadText(summary)}`,
      ...notesOf(partitions).map((note, i) => `${i === 0 ? 'notes' : '     '}      ${note}`),
    ].join('\n'),
    partitionsTable(partitions),
  ]
  if (withRecords) paragraphs.push(recordsTable(records))
  return paragraphs.join('\n\n')
}

function payloadText({ payload, partitions }: EventSummary): string {
  const sum = (count: (partition: PartitionSummary) => number): number =>
    partitions.reduce((total, partition) => total + count(partition), 0)
  const records = sum((partition) => partition.records)
  const share = payload / PAYLOAD_BYTES
  const limit =
    share > 1 ? 'above' : share < 0.001 ? 'less than 0.1% of' : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}% of`
  return `${formatBytes(payload)} for ${formatCount(records)} ${records === 1 ? 'record' : 'records'}: ${limit} Lambda's ${formatBytes(PAYLOAD_BYTES)}`
}

/** What is unusual, in words; nothing when nothing is. */
function notesOf(partitions: readonly PartitionSummary[]): string[] {
  return partitions.flatMap((summary) => {
    const { partition, gaps, repeated, tombstones, emptyValues, nullKeys } = summary
    const missing = missingOffsets(summary)
    const notes = [
      missing === 0 ? '' : `lacks ${offsetsText(missing, gaps)}`,
      repeated.length === 0
        ? ''
        : `has offsets more than once: ${rangesText(repeated.map((offset) => [offset, offset]))}`,
      countText(tombstones, 'tombstone'),
      countText(emptyValues, 'empty value'),
      countText(nullKeys, 'record without a key', 'records without a key'),
    ]
    const said = notes.filter((note) => note !== '')
    return said.length === 0 ? [] : [`partition ${partition}: ${said.join(', ')}`]
  })
}

function countText(count: number, one: string, several = `${one}s`): string {
  return count === 0 ? '' : `${formatCount(count)} ${count === 1 ? one : several}`
}

function offsetsText(count: number, ranges: readonly OffsetRange[]): string {
  return `${countText(count, 'offset')} (${rangesText(ranges)})`
}

function rangesText(ranges: readonly OffsetRange[]): string {
  const shown = ranges.slice(0, MAX_RANGES).map(rangeText).join(', ')
  return ranges.length > MAX_RANGES ? `${shown} and ${formatCount(ranges.length - MAX_RANGES)} more` : shown
}

function rangeText([first, last]: OffsetRange): string {
  return first === last ? formatCount(first) : `${formatCount(first)}…${formatCount(last)}`
}

function partitionsTable(partitions: readonly PartitionSummary[]): string {
  const head = ['partition', 'records', 'offsets', 'from', 'to', 'time', 'bytes', 'base64', 'headers']
  const rows = partitions.map((summary) => {
    const { partition, records, offsets, timestamps, timestampTypes, bytes, base64, headers } = summary
    const [from, to] = timestamps.map(timeText)
    const names = headers.length === 0 ? null : headers.join(', ')
    const sizes = [formatBytes(bytes), formatBytes(base64)]
    return [partition, formatCount(records), rangeText(offsets), from, to, timestampTypes.join(', '), ...sizes, names]
  })
  return textTable(head, rows)
}

function recordsTable(records: readonly KafkaRecord[]): string {
  const head = ['record', 'time', 'key', 'bytes', 'value', 'headers']
  const rows = records.map((record) => {
    const { key, value, headers } = record
    return [
      printable(positionOf(record)),
      timeText(record.timestamp),
      key === null ? null : shortened(bytesText(key), MAX_KEY) || 'empty',
      value === null ? null : formatCount(value.length),
      value === null ? 'tombstone' : shortened(bytesText(value), MAX_VALUE) || 'empty',
      headers.length === 0 ? null : headers.map(({ name }) => name).join(', '),
    ]
  })
  return textTable(head, rows)
}
