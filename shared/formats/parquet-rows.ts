import { zstdDecompressSync } from 'node:zlib'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import type { Row } from '#shared/pipeline/outcome.ts'

/**
 * Rows of a Parquet file that Inlet wrote, with every value as it is stored (see `storedForm`): 64-bit integers and
 * timestamps are bigint, bytes are bytes. Not for decimals, of which hyparquet makes doubles.
 * @param columns the columns to read; others are left out
 * @throws Error when the file is damaged or lacks a column
 */
export async function readParquetRows(body: Uint8Array, columns: string[]): Promise<Row[]> {
  const file = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer
  const compressors = { ZSTD: (page: Uint8Array) => zstdDecompressSync(page) }
  // The statistics of a column of bytes are read like text: not by our parsers, to which text is UTF-8 or an error.
  const metadata = parquetMetadata(file)
  return parquetReadObjects({ file, metadata, columns, compressors, utf8: false, parsers: AS_STORED })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** hyparquet's own parsers make a `Date` of a timestamp, which has not all its range, and leave out a byte order mark. */
const AS_STORED = {
  timestampFromMilliseconds: (stored: bigint) => stored,
  timestampFromMicroseconds: (stored: bigint) => stored,
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes),
} as unknown as NonNullable<Parameters<typeof parquetReadObjects>[0]['parsers']>
