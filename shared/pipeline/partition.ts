import type { Column } from './columns.ts'
import type { PartitionValues } from './commit.ts'
import { PipelineDefinitionError } from './errors.ts'
import { accept, reject, type Row, type Step } from './outcome.ts'

/** How a column becomes a table partition, by the names of Iceberg (specification, "Partition Transforms"). */
export type PartitionTransform = 'identity' | 'day'

/** The value of a partition field: what the transform made of the column, null where the column is. `day` counts days since 1970-01-01. */
export type PartitionValue = string | number | bigint | boolean | null

/** One field of a partition spec. */
export interface PartitionField {
  readonly column: string
  readonly transform: PartitionTransform
  /** Iceberg's naming: the column itself for identity, `<column>_day` otherwise. */
  readonly name: string
}

export type PartitionSpec = readonly PartitionField[]

const MS_PER_DAY = 86_400_000
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/** Which kinds of column each transform takes. Identity on floating point is left out: NaN and −0 have no one partition. */
const TAKES: Record<PartitionTransform, readonly string[]> = {
  identity: ['string', 'boolean', 'int32', 'int64'],
  day: ['timestamp'],
}

/** @throws PipelineDefinitionError when a column is unknown or the transform does not take its type. */
export function partitionSpecOf(
  partitionBy: Readonly<Record<string, PartitionTransform>>,
  columns: readonly Column[],
): PartitionSpec {
  return Object.entries(partitionBy).map(([name, transform]) => {
    const where = `lake.partitionBy.${name}`
    const column = columns.find((candidate) => candidate.name === name)
    if (column === undefined) throw new PipelineDefinitionError(`${where}: the row contract has no such field`)
    const kinds = Object.hasOwn(TAKES, transform) ? TAKES[transform] : undefined
    if (kinds === undefined)
      throw new PipelineDefinitionError(
        `${where}: unknown transform "${transform}"; there are ${Object.keys(TAKES).join(', ')}`,
      )
    if (!kinds.includes(column.type.kind))
      throw new PipelineDefinitionError(`${where}: "${transform}" takes ${kinds.join(', ')}, not ${column.type.kind}`)
    return { column: name, transform, name: transform === 'identity' ? name : `${name}_${transform}` }
  })
}

/** The table partition of a row: one value per field of the spec. */
export function partitionOf(row: Row, spec: PartitionSpec): Step<readonly PartitionValue[]> {
  const values: PartitionValue[] = []
  for (const { column, transform } of spec) {
    const value = row[column] ?? null
    if (value === null) values.push(null)
    else if (transform === 'identity') values.push(value as PartitionValue)
    else {
      const day = Math.floor(Number(value) / MS_PER_DAY)
      if (Number.isNaN(day)) return reject('PARTITION_INVALID', column, 'expected a time, found an invalid Date')
      values.push(day)
    }
  }
  return accept(values)
}

/** A key that is equal for equal partitions only: null, "" and "null" all differ. */
export function partitionKey(values: readonly PartitionValue[]): string {
  return values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value))).join('\u0000')
}

/** A partition as a commit names it. */
export function partitionValues(values: readonly PartitionValue[], spec: PartitionSpec): PartitionValues {
  return Object.fromEntries(
    spec.map((field, i) => {
      const value = values[i] ?? null
      return [field.name, typeof value === 'bigint' ? String(value) : value]
    }),
  )
}

/** The Hive-style path of a partition, as `scheduledAt_day=2013-01-01/origin=EWR`; empty for an unpartitioned table. */
export function partitionPath(values: readonly PartitionValue[], spec: PartitionSpec): string {
  return spec.map((field, i) => `${escapePath(field.name)}=${pathValue(values[i] ?? null, field.transform)}`).join('/')
}

function pathValue(value: PartitionValue, transform: PartitionTransform): string {
  if (value === null || value === '') return NULL_PARTITION
  // A Date ends at 100,000,000 days from 1970; a broken clock does not.
  if (transform === 'day' && Math.abs(Number(value)) <= 1e8)
    return new Date(Number(value) * MS_PER_DAY).toISOString().slice(0, -14)
  return escapePath(String(value))
}

/** Percent-escapes what Hive escapes in a path (FileUtils.escapePathName), so that no value can leave its directory. */
export function escapePath(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is to be escaped
  return text.replace(/[\u0000-\u001f\u007f"#%'*/:=?\\{}[\]^]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
