import { constants, zstdCompressSync } from 'node:zlib'
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, type ColumnSource, parquetWrite } from 'hyparquet-writer'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { FileRows } from './file-rows.ts'
import { type RowReader, rowReaderOf } from './row-reader.ts'

/** Rows of a row group: large enough to compress well, small enough to be read in parallel. */
const ROW_GROUP_ROWS = 122_880
/** parquet-java parses this form, and may distrust the statistics of a writer that it cannot parse. The version is of our files. */
const CREATED_BY = 'inlet version 1'
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Rows that become one Parquet file, kept as columns from the moment they are appended. */
export class ParquetRows implements FileRows {
  readonly #columns: readonly Column[]
  readonly #read: RowReader
  readonly #values: readonly unknown[][]
  #count = 0

  /** @param columns in the order of the file's columns; a row may hold more fields, which are left out */
  constructor(columns: readonly Column[]) {
    this.#columns = columns
    this.#read = rowReaderOf(columns)
    this.#values = columns.map(() => [])
  }

  get count(): number {
    return this.#count
  }

  append(row: Row): void {
    const stored = this.#read(row)
    for (let i = 0; i < stored.length; i++) this.#values[i]?.push(stored[i])
    this.#count += 1
  }

  removeLast(): void {
    for (const column of this.#values) column.pop()
    this.#count -= 1
  }

  /**
   * The file, zstd level 1, with statistics for each column.
   * @param metadata key-value metadata of the footer
   * @throws InletError ENCODE_FAILED when a value does not fit its column: the contract let it through
   */
  encode(metadata: Readonly<Record<string, string>>): Uint8Array {
    const writer = new ByteWriter()
    try {
      parquetWrite({
        writer,
        schema: schemaOf(this.#columns),
        columnData: this.#columns.map((column, i) => sourceOf(column, this.#values[i] ?? [])),
        codec: 'ZSTD',
        compressors: { ZSTD: (bytes) => zstdCompressSync(bytes, ZSTD) },
        rowGroupSize: ROW_GROUP_ROWS,
        kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
        createdBy: CREATED_BY,
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new InletError('ENCODE_FAILED', `${this.#count} rows could not be encoded as Parquet: ${reason}`, {
        cause: error,
      })
    }
    return writer.getBytes()
  }
}

/** The values of a column, and how to encode them where the encoder would not choose well by itself. */
function sourceOf({ name, type }: Column, data: unknown[]): ColumnSource {
  // hyparquet-writer 0.17 looks values up in a Map to make a dictionary, and to a Map −0 and 0 are one value.
  if (hasFloats(type) && data.some((value) => holdsNegativeZero(value, type))) return { name, data, encoding: 'PLAIN' }
  // Pages of one small value hold nothing to compress, and a call of the compressor costs more than the pages.
  if (isSmall(type, data[0]) && data.every((value) => value === data[0])) return { name, data, codec: 'UNCOMPRESSED' }
  if (type.kind === 'string' && mostDiffer(data.slice(0, 200)) && mostDiffer(data))
    return { name, data: utf8Of(data as (string | null)[]), encoding: 'PLAIN' }
  return { name, data }
}

/** Whether values are too many for a dictionary. */
function mostDiffer(values: readonly unknown[]): boolean {
  return 2 * new Set(values).size > values.length
}

/**
 * Texts as pieces of one buffer. hyparquet-writer 0.17 makes a buffer for each, which is more than half of the cost of a
 * column that has no dictionary.
 */
function utf8Of(texts: readonly (string | null)[]): (Uint8Array | null)[] {
  const all = Buffer.from(texts.join(''), 'utf8')
  let end = 0
  return texts.map((text) => {
    if (text === null) return null
    const start = end
    end += Buffer.byteLength(text)
    return all.subarray(start, end)
  })
}

function hasFloats(type: ColumnType): boolean {
  switch (type.kind) {
    case 'list':
      return hasFloats(type.element.type)
    case 'map':
      return hasFloats(type.value.type)
    case 'struct':
      return type.fields.some((field) => hasFloats(field.type))
    default:
      return type.kind === 'float' || type.kind === 'double'
  }
}

function holdsNegativeZero(stored: unknown, type: ColumnType): boolean {
  if (stored === null) return false
  switch (type.kind) {
    case 'float':
    case 'double':
      return Object.is(stored, -0)
    case 'list':
      return (stored as unknown[]).some((item) => holdsNegativeZero(item, type.element.type))
    case 'map':
      return (stored as { value: unknown }[]).some(({ value }) => holdsNegativeZero(value, type.value.type))
    case 'struct':
      return type.fields.some((field) => holdsNegativeZero((stored as Row)[field.name], field.type))
    default:
      return false
  }
}

function isSmall({ kind }: ColumnType, stored: unknown): boolean {
  return stored === null || !['string', 'binary', 'list', 'map', 'struct'].includes(kind)
}

/** The schema of a file: the root, then every column depth first (Parquet format, `SchemaElement`). */
function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elementsOf)]
}

function elementsOf({ name, type, nullable }: Column): SchemaElement[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
  switch (type.kind) {
    case 'string':
      return [{ name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }]
    case 'binary':
      return [{ name, repetition_type, type: 'BYTE_ARRAY' }]
    case 'boolean':
      return [{ name, repetition_type, type: 'BOOLEAN' }]
    case 'int32':
      return [{ name, repetition_type, type: 'INT32' }]
    case 'int64':
      return [{ name, repetition_type, type: 'INT64' }]
    case 'float':
      return [{ name, repetition_type, type: 'FLOAT' }]
    case 'double':
      return [{ name, repetition_type, type: 'DOUBLE' }]
    case 'date':
      return [{ name, repetition_type, type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }]
    case 'uuid':
      return [{ name, repetition_type, type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }]
    case 'timestamp':
      return [timestampElement(name, repetition_type, type)]
    case 'decimal':
      return [decimalElement(name, repetition_type, type)]
    case 'list':
      // The three-level form (Parquet format, LogicalTypes.md, "Lists").
      return [
        { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf(type.element),
      ]
    case 'map':
      return [
        { name, repetition_type, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        ...elementsOf({ name: 'key', type: { kind: 'string' }, nullable: false }),
        ...elementsOf({ ...type.value, name: 'value' }),
      ]
    case 'struct':
      return [{ name, repetition_type, num_children: type.fields.length }, ...type.fields.flatMap(elementsOf)]
  }
}

function timestampElement(
  name: string,
  repetition_type: 'OPTIONAL' | 'REQUIRED',
  { unit, utc }: ColumnType & { kind: 'timestamp' },
): SchemaElement {
  const logical_type = { type: 'TIMESTAMP', isAdjustedToUTC: utc, unit: unit === 'us' ? 'MICROS' : 'MILLIS' } as const
  const element: SchemaElement = { name, repetition_type, type: 'INT64', logical_type }
  // The older annotation means UTC to readers that know no other (Parquet format, LogicalTypes.md, "Timestamp").
  return utc ? { ...element, converted_type: unit === 'us' ? 'TIMESTAMP_MICROS' : 'TIMESTAMP_MILLIS' } : element
}

/** The narrowest physical type that holds the precision, as Iceberg demands (specification, "Parquet" data type mappings). */
function decimalElement(
  name: string,
  repetition_type: 'OPTIONAL' | 'REQUIRED',
  { precision, scale }: ColumnType & { kind: 'decimal' },
): SchemaElement {
  const decimal = { name, repetition_type, converted_type: 'DECIMAL', precision, scale } as const
  const logical_type = { type: 'DECIMAL', precision, scale } as const
  if (precision <= 9) return { ...decimal, logical_type, type: 'INT32' }
  if (precision <= 18) return { ...decimal, logical_type, type: 'INT64' }
  const bits = Math.ceil(precision * Math.log2(10)) + 1
  return { ...decimal, logical_type, type: 'FIXED_LEN_BYTE_ARRAY', type_length: Math.ceil(bits / 8) }
}
