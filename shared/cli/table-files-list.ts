import type { FileContent } from '#shared/lake/iceberg/data-file.ts'
import type { PartitionColumn, PartitionTuple } from '#shared/lake/iceberg/partition-spec.ts'
import type { SingleValue } from '#shared/lake/iceberg/single-value.ts'
import { partitionColumnsOf } from '#shared/lake/iceberg/table-metadata.ts'
import { timeText } from './printable.ts'
import { snapshotAt } from './snapshot-choice.ts'
import { type CatalogTable, filesOf } from './snapshot-files.ts'

/** A file of a snapshot. */
export interface ListedFile {
  /** URI. */
  readonly file: string
  readonly content: FileContent
  /** Partition field → value, as people read it; null for none. */
  readonly partition: Readonly<Record<string, string | null>>
  readonly spec: number
  readonly rows: number
  readonly bytes: number
  /** The age of its data. */
  readonly sequenceNumber: number
  /** The snapshot that it came with, in decimal. */
  readonly snapshot: string
}

/** The live files of a table, by their partitions. @param at see `snapshotAt` */
export async function listFiles(table: CatalogTable, at: string | undefined): Promise<ListedFile[]> {
  const { name, metadata } = table
  const columns = new Map<number, readonly PartitionColumn[]>()
  const files = await filesOf(table, snapshotAt(name, metadata, at))
  const listed = files.map(({ location, content, spec, partition, rows, bytes, sequenceNumber, snapshotId }) => {
    const fields = columns.get(spec) ?? partitionColumnsOf(metadata, spec)
    columns.set(spec, fields)
    const place = partitionOf(fields, partition)
    return {
      file: location,
      content,
      partition: place,
      spec,
      rows,
      bytes,
      sequenceNumber,
      snapshot: String(snapshotId),
    }
  })
  const order = listed.map((file) => ({ file, key: JSON.stringify([file.partition, file.file]) }))
  return order.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ file }) => file)
}

function partitionOf(fields: readonly PartitionColumn[], tuple: PartitionTuple): Record<string, string | null> {
  return Object.fromEntries(
    fields.map(({ name, type }, i) => {
      const value = tuple[i] ?? null
      return [name, value === null ? null : valueText(type, value)]
    }),
  )
}

const MS_PER_DAY = 86_400_000

function valueText(type: string, value: SingleValue): string {
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (type === 'date') return timeText(Number(value) * MS_PER_DAY).slice(0, 10)
  if (type.startsWith('timestamp')) return timeText(Number((value as bigint) / 1000n))
  const scale = Number(/^decimal\(\d+, ?(?<scale>\d+)\)$/.exec(type)?.groups?.['scale'] ?? 0)
  if (scale === 0 || typeof value !== 'bigint') return String(value)
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
