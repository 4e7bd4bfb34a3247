import { gunzipSync, zstdDecompressSync } from 'node:zlib'

export type Compression = 'gzip' | 'zstd'

/** What bytes are compressed with, by how they begin: a gzip member (RFC 1952), a zstd or a skippable frame (RFC 8878). */
export function compressionOf(bytes: Uint8Array): Compression | undefined {
  const [first = 0, second, third, fourth] = bytes
  if (first === 0x1f && second === 0x8b) return 'gzip'
  if (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd) return 'zstd'
  if (first >> 4 === 0x5 && second === 0x2a && third === 0x4d && fourth === 0x18) return 'zstd'
  return undefined
}

/**
 * Decompresses all that there is: gzip of several members, zstd of several frames (as pzstd and concatenation make them).
 * @throws Error when anything is damaged, cut, or not compressed
 */
export function decompress(bytes: Uint8Array, compression: Compression): Uint8Array {
  if (compression === 'gzip') return gunzipSync(bytes)
  const frames: Uint8Array[] = []
  // Unlike gzip, zstd is decompressed by Node to the end of a frame, and what comes behind is left without a word.
  for (let rest = bytes; rest.length > 0; ) {
    const { buffer, engine } = zstdDecompressSync(rest, { info: true }) as unknown as Decompressed
    if (engine.bytesWritten === 0) throw new Error('there is a frame without an end')
    frames.push(buffer)
    rest = rest.subarray(engine.bytesWritten)
  }
  return frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames)
}

/** What Node gives for `info: true` (Node.js documentation, "Zlib", `info`). */
interface Decompressed {
  readonly buffer: Uint8Array
  /** Its `bytesWritten` counts the compressed bytes that were read. */
  readonly engine: { readonly bytesWritten: number }
}
