import { constants, zstdCompressSync } from 'node:zlib'
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { EncodedFile, FileRows } from './file-rows.ts'
import { parquetSchema } from './parquet-schema.ts'
import { fileStatistics } from './file-statistics.ts'
import { type RowReader, rowReaderOf } from './row-reader.ts'

/** Rows of a row group: large enough to compress well, small enough to be read in parallel. */
const ROW_GROUP_ROWS = 122_880
/** parquet-java parses this form, and may distrust the statistics of a writer that it cannot parse. The version is of our files. */
const CREATED_BY = 'inlet version 1'
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Rows that become one Parquet file, kept as columns from the moment they are appended. */
export class ParquetRows implements FileRows {
  readonly canSpill = true
  readonly #columns: readonly Column[]
  readonly #read: RowReader
  #values: unknown[][]
  #count = 0
  #file: { readonly writer: ParquetWriter; readonly bytes: GroupBytes } | undefined

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

  spill(): Uint8Array {
    return this.#encoding(({ bytes }) => bytes.take())
  }

  /**
   * The file, zstd level 1, with statistics for each column: row groups that were spilled count among the others.
   * @param metadata key-value metadata of the footer
   * @throws InletError ENCODE_FAILED when a value does not fit its column: the contract let it through
   */
  encode(metadata: Readonly<Record<string, string>>): EncodedFile {
    return this.#encoding(({ writer, bytes }) => {
      writer.kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }))
      void writer.finish()
      return { body: bytes.getBytes(), statistics: fileStatistics(writer.row_groups, this.#columns) }
    })
  }

  /** Writes the rows that are held as row groups; then what else there is to do. */
  #encoding<T>(then: (file: { writer: ParquetWriter; bytes: GroupBytes }) => T): T {
    try {
      this.#file ??= this.#open()
      const columnData = this.#columns.map((column, i) => sourceOf(column, this.#values[i] ?? []))
      // It is done when it returns: there is nothing to wait for in memory.
      void this.#file.writer.write({ columnData, rowGroupSize: ROW_GROUP_ROWS })
      this.#values = this.#columns.map(() => [])
      return then(this.#file)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new InletError('ENCODE_FAILED', `${this.#count} rows could not be encoded as Parquet: ${reason}`, {
        cause: error,
      })
    }
  }

  #open(): { writer: ParquetWriter; bytes: GroupBytes } {
    const bytes = new GroupBytes()
    const writer = new ParquetWriter({
      writer: bytes,
      schema: parquetSchema(this.#columns),
      codec: 'ZSTD',
      compressors: { ZSTD: (page) => zstdCompressSync(page, ZSTD) },
      createdBy: CREATED_BY,
    })
    return { writer, bytes }
  }
}

/** The bytes of a file that are at hand; those that were taken count in its offsets. */
class GroupBytes extends ByteWriter {
  take(): Uint8Array {
    const taken = this.getBytes()
    this.buffer = new ArrayBuffer(0)
    this.view = new DataView(this.buffer)
    this.index = 0
    return taken
  }
}

/** The values of a column, and how to encode them where the encoder would not choose well by itself. */
function sourceOf({ name, type }: Column, data: unknown[]): ColumnSource {
  // By default the encoder run-length encodes booleans, which Iceberg 1.10 cannot read into Spark's vectors.
  if (type.kind === 'boolean') return { name, data, encoding: 'PLAIN' }
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
