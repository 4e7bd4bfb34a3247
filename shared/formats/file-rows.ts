import type { FileStatistics } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { JsonLinesRows } from './json-lines.ts'
import { ParquetRows } from './parquet.ts'

/** A data file that is still to be written. */
export interface EncodedFile {
  readonly body: Uint8Array
  /** Null where the columns have no field ids. */
  readonly statistics: FileStatistics | null
}

/** Rows that become one data file. */
export interface FileRows {
  /** How many rows there are. */
  readonly count: number
  /**
   * Takes a row: whole, or not at all.
   * @throws UnstorableError naming the column that cannot hold its value unchanged
   */
  append(row: Row): void
  /** Takes back the row that was appended last. */
  removeLast(): void
  /** @throws InletError ENCODE_FAILED */
  encode(metadata: Readonly<Record<string, string>>): EncodedFile
}

/** No rows yet, in the format of the table's files. */
export function fileRowsOf(table: Table): FileRows {
  return table.format === 'parquet'
    ? new ParquetRows(table.columns)
    : new JsonLinesRows(table.columns, table.format === 'jsonl.gz' ? 'gzip' : 'zstd')
}
