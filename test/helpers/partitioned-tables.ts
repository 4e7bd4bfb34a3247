import type { Column } from '#shared/pipeline/columns.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { partitionOf } from '#shared/pipeline/partition.ts'
import type { DeclaredPartitions, DeclaredTransform } from '#shared/pipeline/partition-by.ts'
import { always } from './columns.ts'
import { IcebergTable, lockedTable } from './iceberg-table.ts'
import { SAMPLED } from './nested-samples.ts'
import { type SampledTable, sampledTable } from './sampled-table.ts'
import { SCALARS, type SampledType } from './scalar-samples.ts'

/** A table, and what it must hold in the order in which it was added. */
export interface ExpectedTable {
  readonly table: IcebergTable
  readonly columns: readonly Column[]
  readonly stored: SampledTable['stored']
  /** Snapshot → rows. */
  readonly snapshots?: Readonly<Record<string, number>>
}

/** Iceberg's second version has no milliseconds. */
const hasMilliseconds = ({ type }: SampledType): boolean => type.kind === 'timestamp' && type.unit === 'ms'
/** The types of Iceberg's tables, nested ones among them, and the scalar ones alone. */
export const ICEBERG_TYPES = SAMPLED.filter((type) => !hasMilliseconds(type))
export const ICEBERG_SCALARS = SCALARS.filter((type) => !hasMilliseconds(type))

/** Each type with each transform that it takes. */
const TRANSFORMS: Readonly<Record<string, readonly DeclaredTransform[]>> = {
  string: ['identity', { bucket: 7 }, { truncate: 1 }],
  binary: ['identity', { bucket: 7 }, { truncate: 1 }],
  boolean: ['identity'],
  int32: ['identity', { bucket: 7 }, { truncate: 100 }],
  int64: ['identity', { bucket: 7 }, { truncate: 100 }],
  date: ['identity', 'year', 'month', 'day', { bucket: 7 }],
  uuid: ['identity', { bucket: 7 }],
  timestamp: ['identity', 'year', 'month', 'day', 'hour', { bucket: 7 }],
  decimal: ['identity', { bucket: 7 }, { truncate: 100 }],
}
interface Partitioned {
  readonly name: string
  readonly type: SampledType
  readonly transform: DeclaredTransform
}

export const PARTITIONED: readonly Partitioned[] = ICEBERG_SCALARS.flatMap((type) =>
  (TRANSFORMS[type.type.kind] ?? []).map((transform) => {
    const of = typeof transform === 'string' ? transform : Object.entries(transform).flat().join('_')
    return { name: `${type.name}_by_${of}`, type, transform }
  }),
)

/** An empty table with the columns of another. */
export async function tableLike(
  store: ObjectStore,
  name: string,
  { columns }: Pick<SampledTable, 'columns'>,
  partitionBy: DeclaredPartitions = {},
): Promise<IcebergTable> {
  const table = new IcebergTable(store, lockedTable(name, columns, partitionBy))
  await table.create()
  return table
}

/** A table with a column for each type, whether it allows null or not. */
export async function tableOfAllTypes(store: ObjectStore, nullable: boolean): Promise<ExpectedTable> {
  const { rows, columns, stored } = sampledTable(ICEBERG_TYPES, { nullable, times: 2 })
  const table = await tableLike(store, `nullable_${nullable}`, { columns })
  await table.add(rows)
  return { table, columns, stored }
}

/** A table partitioned so, with a snapshot for the first half of its rows and one for the rest. */
export async function partitionedTable(
  store: ObjectStore,
  { name, type, transform }: Partitioned,
): Promise<Required<ExpectedTable>> {
  const all = sampledTable([type], { nullable: true, times: 1 })
  const table = await tableLike(store, name, all, { [type.name]: transform })
  // A row whose column cannot hold the partition's value becomes a dead letter.
  const places = all.rows.map((row) => partitionOf(row, table.table.partitionSpec).ok)
  const isPlaced = (_: unknown, i: number): boolean => places[i] === true
  const sampled = { ...all, rows: all.rows.filter(isPlaced), stored: all.stored.filter(isPlaced) }
  const half = sampled.rows.length >> 1
  const first = await table.add(sampled.rows.slice(0, half))
  const second = await table.add(sampled.rows.slice(half))
  const snapshots = {
    [String(first['current-snapshot-id'])]: half,
    [String(second['current-snapshot-id'])]: sampled.rows.length,
  }
  return { table, columns: sampled.columns, stored: sampled.stored, snapshots }
}

/** A table of files with one row each: only the bounds of its first column tell which file has a value. */
export async function tableOfSingleRows(store: ObjectStore, type: SampledType): Promise<ExpectedTable> {
  const sampled = sampledTable([type], { nullable: true, times: 1 })
  const columns = [...sampled.columns, always('row', 'int32')]
  const stored = sampled.stored.map((row, i) => ({ ...row, row: i }))
  const table = await tableLike(store, type.name, { columns }, { row: 'identity' })
  await table.add(sampled.rows.map((row, i) => ({ ...row, row: i })))
  return { table, columns, stored }
}
