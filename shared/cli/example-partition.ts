import type { ColumnType } from '#shared/pipeline/columns.ts'
import { partitionOf } from '#shared/pipeline/partition.ts'
import { partitionPath } from '#shared/pipeline/partition-path.ts'
import type { PartitionSpec } from '#shared/pipeline/partition-spec.ts'

/** The directories of a partition as there could be one: `scheduledAt_day=2026-01-31`; empty for an unpartitioned table. */
export function examplePartition(spec: PartitionSpec): string {
  const row = Object.fromEntries(spec.map(({ column, source }) => [column, exampleValue(source)]))
  const partition = partitionOf(row, spec)
  return partition.ok ? partitionPath(partition.value, spec) : ''
}

function exampleValue(type: ColumnType): unknown {
  switch (type.kind) {
    case 'timestamp':
      return type.utc ? new Date('2026-01-31T10:15:00Z') : '2026-01-31T10:15:00'
    case 'date':
      return '2026-01-31'
    case 'boolean':
      return true
    case 'decimal':
      return '1'
    case 'uuid':
      return '01234567-89ab-4cde-8f01-23456789abcd'
    case 'binary':
      return Buffer.from('abc')
    case 'string':
      return 'abc'
    default:
      return 42
  }
}
