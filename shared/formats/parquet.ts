import { constants, zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Column } from '#shared/pipeline/columns.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { EncodedFile, FileRows } from './file-rows.ts'
import { fileStatistics } from './file-statistics.ts'
import { type ColumnValues, columnValuesOf, type ParquetFile } from './parquet/column-values.ts'
import { parquetSchema } from './parquet-schema.ts'
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
  /** Row groups that are not encoded yet. Only the last one grows; rows of the others may still be taken back. */
  #groups: RowsOfGroup[]
  #count = 0
  #file: OpenFile | undefined

  /** @param columns in the order of the file's columns; a row may hold more fields, which are left out */
  constructor(columns: readonly Column[]) {
    this.#columns = columns
    this.#read = rowReaderOf(columns)
    this.#groups = [newGroup(columns)]
  }

  get count(): number {
    return this.#count
  }

  get memory(): number {
    let sum = this.encoded
    for (const { columns } of this.#groups) for (const values of columns) sum += values.memory
    return sum
  }

  get encoded(): number {
    return this.#file?.bytes.index ?? 0
  }

  append(row: Row, own?: Row): void {
    const stored = this.#read(row, own)
    const group = this.#groupWithRoom()
    for (let i = 0; i < stored.length; i++) group.columns[i]?.push(stored[i])
    group.rows += 1
    this.#count += 1
  }

  removeLast(): void {
    const group = this.#groups.at(-1)
    if (group === undefined || group.rows === 0) throw new RangeError('there is no row to be taken back')
    for (const values of group.columns) values.pop()
    group.rows -= 1
    if (group.rows === 0 && this.#groups.length > 1) this.#groups.pop()
    this.#count -= 1
  }

  settle(): void {
    if (this.#groups.some(isFull)) this.#encoding(() => {}, isFull)
  }

  spill(): Uint8Array {
    return this.#encoding(({ bytes }) => bytes.take())
  }

  release(): void {
    this.#file?.bytes.take()
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
  #encoding<T>(then: (file: OpenFile) => T, isReady = (_group: RowsOfGroup): boolean => true): T {
    try {
      const file = (this.#file ??= this.#open())
      const groups = this.#groups
      this.#groups = groups.filter((group) => !isReady(group))
      for (const group of groups) if (isReady(group) && group.rows > 0) writeGroup(file, group)
      return then(file)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new InletError('ENCODE_FAILED', `${this.#count} rows could not be encoded as Parquet: ${reason}`, {
        cause: error,
      })
    }
  }

  #groupWithRoom(): RowsOfGroup {
    const last = this.#groups.at(-1)
    if (last !== undefined && !isFull(last)) return last
    const group = newGroup(this.#columns)
    this.#groups.push(group)
    return group
  }

  #open(): OpenFile {
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

/** Rows that become a row group. */
interface RowsOfGroup {
  readonly columns: readonly ColumnValues[]
  rows: number
}

function newGroup(columns: readonly Column[]): RowsOfGroup {
  return { columns: columns.map(columnValuesOf), rows: 0 }
}

function isFull({ rows }: RowsOfGroup): boolean {
  return rows === ROW_GROUP_ROWS
}

function writeGroup(file: OpenFile, group: RowsOfGroup): void {
  const { writer, bytes } = file
  const start = bytes.offset
  const columns = group.columns.flatMap((values) => values.chunks(file))
  const total_byte_size = columns.reduce((sum, chunk) => sum + (chunk.meta_data?.total_uncompressed_size ?? 0n), 0n)
  const [num_rows, total_compressed_size] = [BigInt(group.rows), BigInt(bytes.offset - start)]
  writer.row_groups.push({ columns, num_rows, total_byte_size, total_compressed_size })
  writer.num_rows += num_rows
}

interface OpenFile extends ParquetFile {
  readonly bytes: GroupBytes
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
