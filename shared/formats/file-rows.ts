import type { FileStatistics } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { JsonLinesRows } from './json-lines.ts'
import { ParquetRows } from './parquet.ts'

/** A data file that is still to be written. */
export interface EncodedFile {
  /** The file, or what of it `spill` has not given before. */
  readonly body: Uint8Array
  /** Null where the columns have no field ids. */
  readonly statistics: FileStatistics | null
}

/** Rows that become one data file. */
export interface FileRows {
  /** How many rows there are, those that were spilled included. */
  readonly count: number
  /** Bytes of memory that the rows take that were not spilled, about. */
  readonly memory: number
  /** Bytes of the file that are encoded and were not spilled. */
  readonly encoded: number
  /**
   * Takes a row: whole, or not at all.
   * @param own where Inlet's own columns stand; see `RowReader`
   * @throws UnstorableError naming the column that cannot hold its value unchanged
   */
  append(row: Row, own?: Row): void
  /** Takes back the row that was appended last, and was not spilled. */
  removeLast(): void
  /** None of the rows will be taken back: those that fill a row group may be encoded. @throws InletError ENCODE_FAILED */
  settle(): void
  /** Whether rows can be encoded before the others are there. */
  readonly canSpill: boolean
  /**
   * Encodes the rows that are held, and lets go of them. Only of rows that can be spilled.
   * @returns the bytes that come next in the file
   * @throws InletError ENCODE_FAILED
   */
  spill(): Uint8Array
  /** Lets go of what was encoded: it was written elsewhere, and no more rows will come. */
  release(): void
  /** @throws InletError ENCODE_FAILED */
  encode(metadata: Readonly<Record<string, string>>): EncodedFile
}

/** No rows yet, in the format of the table's files. */
export function fileRowsOf(table: Table): FileRows {
  return table.format === 'parquet'
    ? new ParquetRows(table.columns)
    : new JsonLinesRows(table.columns, table.format === 'jsonl.gz' ? 'gzip' : 'zstd')
}
