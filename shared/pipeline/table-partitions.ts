import { type FileRows, fileRowsOf } from '#shared/formats/file-rows.ts'
import { type PartitionValue, partitionKey } from './partition.ts'
import type { Table } from './table.ts'

/** Rows of one table partition, to become one data file. */
export interface TablePartition {
  readonly table: Table
  readonly values: readonly PartitionValue[]
  readonly rows: FileRows
  /** The offset of each row's record, in the order of the rows: of those that the last call of `add` has appended. */
  readonly offsets: number[]
}

/** The table partitions that rows have come to. */
export class TablePartitions {
  readonly #byKey = new Map<string, TablePartition>()
  /** Rows come in the order of their times, more or less: the next one is mostly of the same partition. */
  #last: TablePartition | undefined

  /** In the order in which they were first asked for. */
  get all(): Iterable<TablePartition> {
    return this.#byKey.values()
  }

  /** The partition of a table with these values: without a row, when it was not there. */
  at(table: Table, values: readonly PartitionValue[]): TablePartition {
    if (this.#last?.table === table && areSame(this.#last.values, values)) return this.#last
    const key = `${table.name}\u0000${partitionKey(values)}`
    let partition = this.#byKey.get(key)
    if (partition === undefined) {
      partition = { table, values, rows: fileRowsOf(table), offsets: [] }
      this.#byKey.set(key, partition)
    }
    this.#last = partition
    return partition
  }
}

function areSame(some: readonly PartitionValue[], others: readonly PartitionValue[]): boolean {
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false
  return true
}
