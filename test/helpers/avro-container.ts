import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib'
import avro, { type Schema } from 'avsc'

export type AvroCodec = 'null' | 'deflate' | 'snappy' | 'zstandard' | 'bzip2'

const SYNC = Buffer.alloc(16, 0xab)

/** An Avro file as other writers have it: of any codec, with any schema, in blocks of so many records. */
export function avroContainer(
  schema: unknown,
  records: readonly unknown[],
  codec: AvroCodec = 'null',
  blockRecords = 2,
): Buffer {
  const type = avro.Type.forSchema(schema as Schema, { wrapUnions: 'never' })
  const header = { 'avro.schema': Buffer.from(JSON.stringify(schema)), 'avro.codec': Buffer.from(codec) }
  const long = avro.Type.forSchema('long')
  const parts = [Buffer.from('Obj\u0001'), avro.Type.forSchema({ type: 'map', values: 'bytes' }).toBuffer(header), SYNC]
  for (let start = 0; start < records.length; start += blockRecords) {
    const block = records.slice(start, start + blockRecords).map((record) => type.toBuffer(record))
    const bytes = compressed(codec, Buffer.concat(block))
    parts.push(long.toBuffer(block.length), long.toBuffer(bytes.length), bytes, SYNC)
  }
  return Buffer.concat(parts)
}

function compressed(codec: AvroCodec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'deflate':
      return deflateRawSync(bytes)
    case 'zstandard':
      return zstdCompressSync(bytes)
    case 'snappy': {
      const checksum = Buffer.alloc(4)
      checksum.writeUInt32BE(crc32(bytes))
      return Buffer.concat([snappy(bytes), checksum])
    }
    default:
      return bytes
  }
}

/** Snappy without compression: the length, and literals of at most 60 bytes (Snappy's format description, sections 1 and 2.1). */
function snappy(bytes: Buffer): Buffer {
  const length: number[] = []
  let left = bytes.length
  for (; left > 127; left = Math.floor(left / 128)) length.push((left % 128) + 128)
  const parts: Uint8Array[] = [Buffer.of(...length, left)]
  for (let start = 0; start < bytes.length; start += 60) {
    const literal = bytes.subarray(start, start + 60)
    parts.push(Buffer.of((literal.length - 1) << 2), literal)
  }
  return Buffer.concat(parts)
}
