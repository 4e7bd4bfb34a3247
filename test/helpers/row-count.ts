import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetMetadata } from 'hyparquet'

/** How many rows a data file holds, by its own account: the footer of Parquet, the lines of JSON Lines. */
export function countRows(name: string, body: Uint8Array): number {
  if (name.endsWith('.jsonl.gz')) return countLines(gunzipSync(body))
  if (name.endsWith('.jsonl.zst')) return countLines(zstdDecompressSync(body))
  const buffer = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer
  return Number(parquetMetadata(buffer).num_rows)
}

function countLines(text: Uint8Array): number {
  let lines = 0
  for (const byte of text) if (byte === 0x0a) lines += 1
  return lines
}
