/** Sort orders of Iceberg tables (specification, "Sorting"). */
import type { TableLock } from '#shared/pipeline/table-lock.ts'

/** As Appendix C has it. */
export interface SortOrder {
  readonly 'order-id': number
  readonly fields: readonly SortField[]
}

interface SortField {
  readonly transform: string
  readonly 'source-id': number
  readonly direction: 'asc' | 'desc'
  readonly 'null-order': 'nulls-first' | 'nulls-last'
}

/** The order of a table that asks for none. */
export const UNSORTED: SortOrder = { 'order-id': 0, fields: [] }

/** Id of the order that the rows of Inlet's files are in. */
export const SLICE_ORDER_ID = 1

/** The columns that the rows of a file are in the order of: it holds a slice of one Kafka partition. */
const SLICE_ORDER = ['_kafka_partition', '_offset', '_index']

/**
 * The order that the rows of Inlet's files are in. It is declared, so that files may say that they have it, but not made the
 * table's default: that would ask other writers to sort.
 */
export function sliceOrder({ columns }: Pick<TableLock, 'columns'>): SortOrder {
  const fields = SLICE_ORDER.map((name): SortField => {
    const source = columns.find(({ path }) => path.length === 1 && path[0] === name)?.id ?? 0
    return { transform: 'identity', 'source-id': source, direction: 'asc', 'null-order': 'nulls-first' }
  })
  return { 'order-id': SLICE_ORDER_ID, fields }
}
