import type { Table } from './pipeline.ts'
import type { TablePartition } from './tabulate.ts'

/**
 * How far event time has come in some rows: the greatest value, in milliseconds, of the first time column that the table
 * is partitioned by. Null when there is no such column or no row has it.
 */
export function watermarkOf(partitions: readonly TablePartition[], table: Table): number | null {
  const field = table.partitionSpec.find(({ transform }) => transform !== 'identity')
  if (field === undefined) return null
  let greatest: number | null = null
  for (const partition of partitions) {
    if (partition.table !== table) continue
    for (const row of partition.rows) {
      const value = row[field.column]
      if (value instanceof Date && (greatest === null || value.getTime() > greatest)) greatest = value.getTime()
    }
  }
  return greatest
}
