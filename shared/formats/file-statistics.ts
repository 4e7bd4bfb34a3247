import type { RowGroup } from 'hyparquet'
import type { Column } from '#shared/pipeline/columns.ts'
import type { FieldStatistics, FileStatistics } from '#shared/pipeline/commit.ts'
import { keyOf } from './parquet-schema.ts'
import { lowerBound, type SingleKind, type SingleValue, upperBound } from './single-value.ts'

/** As many columns of a contract as Iceberg's own writers keep statistics of (`write.metadata.metrics.max-inferred-column-defaults`). */
const MAX_FIELDS = 100

/**
 * What a manifest of Iceberg keeps of a file, taken from what the Parquet encoder has found out anyway: nothing is read twice.
 * Inlet's own columns are always there, for they tell the offsets of a file.
 * @param groups the row groups as they were written
 * @returns null when the columns have no field ids
 */
export function fileStatistics(groups: readonly RowGroup[], columns: readonly Column[]): FileStatistics | null {
  const leaves = columns.flatMap((column) => leavesOf(column, column.name.startsWith('_'), false))
  if (leaves.some(({ id }) => id === undefined)) return null
  const splits = groups.map(({ columns: [first] }) => Number(first?.file_offset))
  let room = MAX_FIELDS
  const fields = leaves.flatMap((leaf, i) =>
    leaf.isOwn || room-- > 0 ? [fieldStatistics(leaf, chunksOf(groups, i))] : [],
  )
  return { splits, fields }
}

/** A column that holds no others: one column chunk of each row group. */
interface Leaf {
  readonly id: number | undefined
  readonly kind: SingleKind
  readonly isOwn: boolean
  /** Whether it lies within a list or a map. */
  readonly isRepeated: boolean
}

/** In the order of the file's column chunks. */
function leavesOf({ id, type }: Column, isOwn: boolean, isRepeated: boolean): Leaf[] {
  switch (type.kind) {
    case 'list':
      return leavesOf(type.element, isOwn, true)
    case 'map':
      return [keyOf(type), type.value].flatMap((part) => leavesOf(part, isOwn, true))
    case 'struct':
      return type.fields.flatMap((field) => leavesOf(field, isOwn, isRepeated))
    default:
      return [{ id, kind: type.kind, isOwn, isRepeated }]
  }
}

type Chunk = NonNullable<RowGroup['columns'][number]['meta_data']>

function chunksOf(groups: readonly RowGroup[], leaf: number): Chunk[] {
  return groups.map(({ columns }) => columns[leaf]?.meta_data as Chunk)
}

function fieldStatistics({ id, kind, isRepeated }: Leaf, chunks: readonly Chunk[]): FieldStatistics {
  const sum = (of: (chunk: Chunk) => bigint | undefined): number =>
    chunks.reduce((total, chunk) => total + Number(of(chunk) ?? 0n), 0)
  const nans = kind === 'float' || kind === 'double' ? sum(nansOf) : null
  const [lower, upper] = hasBounds(kind) && !isRepeated ? boundsOf(kind, chunks) : [null, null]
  return [
    id as number,
    sum((chunk) => chunk.total_compressed_size),
    sum((chunk) => chunk.num_values),
    sum((chunk) => chunk.statistics?.null_count),
    nans,
    lower,
    upper,
  ]
}

function nansOf({ statistics }: Chunk): bigint | undefined {
  return (statistics as { nan_count?: bigint } | undefined)?.nan_count
}

/**
 * Java compares UUIDs as signed numbers, and older versions of Iceberg's library with it (apache/iceberg#14216): by bounds in
 * the order of their bytes it would leave out files that hold what is asked for.
 */
function hasBounds(kind: SingleKind): boolean {
  return kind !== 'uuid'
}

function boundsOf(kind: SingleKind, chunks: readonly Chunk[]): [string | null, string | null] {
  let least: SingleValue | undefined
  let greatest: SingleValue | undefined
  for (const { statistics } of chunks) {
    const [min, max] = [statistics?.min_value, statistics?.max_value] as (SingleValue | undefined)[]
    if (min !== undefined && (least === undefined || isLess(min, least))) least = min
    if (max !== undefined && (greatest === undefined || isLess(greatest, max))) greatest = max
  }
  if (least === undefined || greatest === undefined) return [null, null]
  const upper = upperBound(kind, greatest)
  return [base64(lowerBound(kind, least)), upper === null ? null : base64(upper)]
}

/** Texts and bytes by their bytes; the encoder has made the zeros of a minimum negative, and of a maximum positive. */
function isLess(a: SingleValue, b: SingleValue): boolean {
  if (typeof a === 'object' || typeof a === 'string') return Buffer.compare(bytesOf(a), bytesOf(b)) < 0
  return a < b
}

function bytesOf(value: SingleValue): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
