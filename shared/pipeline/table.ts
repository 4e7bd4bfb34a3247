import { AUDIT_COLUMNS, type Column, RECORD_COLUMNS, type RecordPart } from './columns.ts'
import { digest } from './digest.ts'
import { lockFor, withFieldIds } from './field-ids.ts'
import { type PartitionSpec, partitionSpecOf } from './partition-spec.ts'
import { lockFault, LockOutdatedError, parseLock, type TableLock } from './table-lock.ts'

/** How the data files of a table are written. JSON Lines is for readers that know nothing better. */
export type FileFormat = 'parquet' | 'jsonl.gz' | 'jsonl.zst'

/**
 * `iceberg`: a table in a catalog, whose snapshots show each row once to every engine. `files`: data files under Hive paths,
 * for readers without a catalog; those who list them may see what a crash has left.
 */
export type TableLayout = 'iceberg' | 'files'

/** A table as writers and readers need it. */
export interface Table {
  readonly name: string
  /** The contract's columns, then the parts of the record that are kept, then the audit columns. */
  readonly columns: readonly Column[]
  readonly partitionSpec: PartitionSpec
  readonly format: FileFormat
  readonly layout: TableLayout
  /** Parts of the Kafka record that are columns too. */
  readonly keep: readonly RecordPart[]
  /** The ids of its fields, which its files carry then; null without. */
  readonly lock: TableLock | null
  /** Digest of the columns. */
  readonly schemaId: string
  /** Digest of the partition spec. */
  readonly specId: string
}

export interface TableOptions {
  readonly partitionBy?: Parameters<typeof partitionSpecOf>[0]
  readonly format?: FileFormat
  readonly layout?: TableLayout
  readonly keep?: readonly RecordPart[]
  /** What the table's lock file holds. */
  readonly lock?: unknown
}

/**
 * A table of the given columns and, behind them, Inlet's own.
 * @throws PipelineDefinitionError for a partition or a lock that does not fit the columns
 */
export function defineTable(name: string, columns: readonly Column[], options: TableOptions): Table {
  const { partitionBy = {}, format = 'parquet', keep = [] } = options
  const { layout = format === 'parquet' ? 'iceberg' : 'files' } = options
  const all = [...columns, ...keep.map((part) => RECORD_COLUMNS[part]), ...AUDIT_COLUMNS]
  const partitionSpec = partitionSpecOf(partitionBy, all)
  const specId = digest(partitionSpec)
  const unlocked = {
    name,
    columns: all,
    partitionSpec,
    format,
    layout,
    keep,
    lock: null,
    schemaId: digest(all),
    specId,
  }
  if (options.lock === undefined && layout === 'files') return unlocked
  if (format !== 'parquet') throw lockFault(`it is for tables of Parquet, not of ${format}`)
  if (options.lock === undefined)
    throw new LockOutdatedError(
      'an Iceberg table needs one, imported from a file',
      lockFor({ columns: all, partitionSpec }),
    )
  const lock = parseLock(options.lock)
  const withIds = withFieldIds({ columns: all, partitionSpec }, lock)
  return { ...unlocked, columns: withIds, lock, schemaId: digest(withIds) }
}
