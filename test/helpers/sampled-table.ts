import { ParquetRows } from '#shared/formats/parquet.ts'
import type { FileRows } from '#shared/formats/file-rows.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Sample, SampledType } from './scalar-samples.ts'
import type { StoredRow } from './stored.ts'

/** Rows to be written, and what a file must hold then. */
export interface SampledTable {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly stored: readonly StoredRow[]
}

export interface SampledTableOptions {
  /** Whether the columns allow null; then each of them has some, and some values that are missing. */
  readonly nullable: boolean
  /** How often each value comes at the least: values that come often are kept in dictionaries. */
  readonly times: number
}

/** A table with a column for each type, whose values come one after another and then again. */
export function sampledTable(types: readonly SampledType[], { nullable, times }: SampledTableOptions): SampledTable {
  const columns = types.map(({ name, type }): Column => ({ name, type, nullable }))
  const nothing: Sample[] = nullable
    ? [
        [null, null],
        [undefined, null],
      ]
    : []
  const values = types.map(({ samples }) => [...samples, ...nothing])
  const length = times * Math.max(...values.map((list) => list.length))
  const sample = (column: number, row: number): Sample => {
    const list = values[column] ?? []
    return list[row % list.length] as Sample
  }
  const rowsOf = <T>(pick: (sample: Sample) => T): Record<string, T>[] =>
    Array.from({ length }, (_, row) => Object.fromEntries(types.map(({ name }, i) => [name, pick(sample(i, row))])))
  return { columns, rows: rowsOf(([given]) => given), stored: rowsOf(([, stored]) => stored) }
}

/** One file of these rows. */
export function encoded(file: FileRows, rows: readonly Row[], metadata = {}): Uint8Array {
  for (const row of rows) file.append(row)
  return file.encode(metadata).body
}

export function parquetOf(columns: readonly Column[], rows: readonly Row[], metadata = {}): Uint8Array {
  return encoded(new ParquetRows(columns), rows, metadata)
}
