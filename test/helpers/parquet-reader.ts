import { zstdDecompressSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import type { Row } from '#shared/pipeline/outcome.ts'

/** The rows of a Parquet file as hyparquet reads them: 64-bit integers as bigint, instants as Date, bytes as bytes. */
export async function readParquet(bytes: Uint8Array): Promise<Row[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  const compressors = { ZSTD: (page: Uint8Array) => zstdDecompressSync(page) }
  const rows = await parquetReadObjects({ file, compressors, utf8: false })
  return rows.map((row) => withNull(row) as Row)
}

/** hyparquet shows a null within a list or a struct as undefined. */
function withNull(value: unknown): unknown {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map(withNull)
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  return isPlain ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withNull(part)])) : value
}
