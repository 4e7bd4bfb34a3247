import { AUDIT_COLUMNS, type Column, RECORD_COLUMNS, type RecordPart } from './columns.ts'
import { digest } from './digest.ts'
import { type PartitionSpec, partitionSpecOf } from './partition-spec.ts'

/** How the data files of a table are written. JSON Lines is for readers that know nothing better. */
export type FileFormat = 'parquet' | 'jsonl.gz' | 'jsonl.zst'

/** A table as writers and readers need it. */
export interface Table {
  readonly name: string
  /** The contract's columns, then the parts of the record that are kept, then the audit columns. */
  readonly columns: readonly Column[]
  readonly partitionSpec: PartitionSpec
  readonly format: FileFormat
  /** Parts of the Kafka record that are columns too. */
  readonly keep: readonly RecordPart[]
  /** Digest of the columns. */
  readonly schemaId: string
  /** Digest of the partition spec. */
  readonly specId: string
}

export interface TableOptions {
  readonly partitionBy?: Parameters<typeof partitionSpecOf>[0]
  readonly format?: FileFormat
  readonly keep?: readonly RecordPart[]
}

/** A table of the given columns and, behind them, Inlet's own. */
export function defineTable(name: string, columns: readonly Column[], options: TableOptions): Table {
  const { partitionBy = {}, format = 'parquet', keep = [] } = options
  const all = [...columns, ...keep.map((part) => RECORD_COLUMNS[part]), ...AUDIT_COLUMNS]
  const partitionSpec = partitionSpecOf(partitionBy, all)
  return { name, columns: all, partitionSpec, format, keep, schemaId: digest(all), specId: digest(partitionSpec) }
}
