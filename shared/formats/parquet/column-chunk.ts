import { constants, zstdCompressSync } from 'node:zlib'
import type { ColumnChunk, ParquetType, Statistics } from 'hyparquet'
import type { ByteWriter } from 'hyparquet-writer'
import { bitWidthOf, hybridBytes } from './hybrid.ts'
import { writeDataHeader, writeDictionaryHeader } from './page-header.ts'
import type { Presence } from './presence.ts'

/** The values of a column in a row group; where there is none, nothing stands. */
export type ChunkValues = PlainValues | DictionaryValues

/** Values one behind the other (Parquet format, Encodings.md, "Plain"), in pages of some rows each. */
export interface PlainValues {
  readonly pages: readonly PlainPage[]
}

export interface PlainPage {
  readonly rows: number
  readonly bytes: Uint8Array
}

/** The values that differ, plain, and for each value which of them it is (Encodings.md, "Dictionary Encoding"). */
export interface DictionaryValues {
  readonly dictionary: Uint8Array
  readonly entries: number
  readonly codes: ArrayLike<number>
}

/** What the footer tells of the values: the least and the greatest of them, and how many are NaN, which is neither. */
export interface Bounds {
  readonly min: Statistics['min_value']
  readonly max: Statistics['max_value']
  /** Of a column of floats. */
  readonly nans?: number
}

const ZSTD_LEVEL = 1
/** Less than that is not worth a call of the compressor. */
const LEAST_COMPRESSED = 512

/** Whether a dictionary and its codes take at most half of the bytes that the values themselves do. */
export function isDictionarySmaller(
  dictionaryBytes: number,
  entries: number,
  count: number,
  plainBytes: number,
): boolean {
  return 2 * (dictionaryBytes + (count * bitWidthOf(entries)) / 8) <= plainBytes
}

/**
 * Writes a column chunk of a column that lies in no other (Parquet format, README.md, "Column chunks"; parquet.thrift,
 * `DataPageHeaderV2`).
 */
export function writeChunk(
  writer: ByteWriter,
  column: { readonly name: string; readonly type: ParquetType },
  presence: Presence,
  values: ChunkValues,
  bounds: Bounds,
): ColumnChunk {
  const hasDictionary = 'dictionary' in values
  const pages = hasDictionary ? [{ rows: presence.rows, bytes: codesPage(values) }] : values.pages
  const rawBytes = pages.reduce((sum, { bytes }) => sum + bytes.length, hasDictionary ? values.dictionary.length : 0)
  const isCompressed = rawBytes >= LEAST_COMPRESSED
  const encoding = hasDictionary ? 'RLE_DICTIONARY' : 'PLAIN'
  const start = writer.offset
  let saved = 0

  if (hasDictionary) {
    const { dictionary, entries } = values
    const written = isCompressed ? zstd(dictionary) : dictionary
    writeDictionaryHeader(writer, { uncompressed: dictionary.length, compressed: written.length, entries })
    writer.appendBytes(written)
    saved += dictionary.length - written.length
  }
  const dataStart = writer.offset
  let row = 0
  for (const { rows, bytes } of pages) {
    const levels = presence.levels(row, row + rows)
    const written = isCompressed ? zstd(bytes) : bytes
    writeDataHeader(writer, {
      uncompressed: levels.length + bytes.length,
      compressed: levels.length + written.length,
      rows,
      nulls: presence.nullsOf(row, row + rows),
      encoding,
      levels: levels.length,
    })
    writer.appendBytes(levels)
    writer.appendBytes(written)
    saved += bytes.length - written.length
    row += rows
  }
  const size = writer.offset - start
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: column.type,
      encodings: hasDictionary ? ['PLAIN', 'RLE_DICTIONARY'] : ['PLAIN'],
      path_in_schema: [column.name],
      codec: isCompressed ? 'ZSTD' : 'UNCOMPRESSED',
      num_values: BigInt(presence.rows),
      total_uncompressed_size: BigInt(size + saved),
      total_compressed_size: BigInt(size),
      data_page_offset: BigInt(dataStart),
      ...(hasDictionary && { dictionary_page_offset: BigInt(start) }),
      statistics: statisticsOf(bounds, presence.nulls),
      encoding_stats: [
        ...(hasDictionary ? [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const] : []),
        { page_type: 'DATA_PAGE_V2', encoding, count: pages.length },
      ],
    },
  }
}

/** The width of the codes, then the codes. */
function codesPage({ codes, entries }: DictionaryValues): Uint8Array {
  const width = bitWidthOf(entries)
  const packed = hybridBytes(codes, codes.length, width)
  const page = new Uint8Array(1 + packed.length)
  page[0] = width
  page.set(packed, 1)
  return page
}

function statisticsOf({ min, max, nans }: Bounds, nulls: number): Statistics {
  const found = { null_count: BigInt(nulls), min_value: min, max_value: max } as Statistics
  return nans === undefined ? found : ({ ...found, nan_count: BigInt(nans) } as Statistics)
}

function zstd(bytes: Uint8Array): Uint8Array {
  // Room for the whole answer at once: what Node makes room for by default is more than most pages hold.
  const chunkSize = Math.max(64, bytes.length + 64)
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL }, chunkSize })
}
