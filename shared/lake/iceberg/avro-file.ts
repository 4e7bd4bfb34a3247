/**
 * Avro object container files (Apache Avro specification, "Object Container Files"), in memory. The header is written here
 * and not by avsc, which would leave out the field ids that Iceberg's readers go by (specification, Appendix A, "Avro").
 */
import { randomBytes } from 'node:crypto'
import { crc32, deflateRawSync, inflateRawSync, zstdDecompressSync } from 'node:zlib'
import avro, { type Schema, type Type } from 'avsc'
import { snappyUncompress } from 'hyparquet'
import { InletError } from '#shared/pipeline/errors.ts'

const MAGIC = Buffer.from('Obj\u0001', 'latin1')
const SYNC_BYTES = 16
/** Records of a block: their bytes are compressed together. */
const BLOCK_RECORDS = 1000

/** Longs as bigint, whatever their size. */
// oxlint-disable-next-line no-underscore-dangle -- avsc's name for it
const LONG = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

/** A schema as JSON has it, with attributes that Avro itself does not know. */
export type AvroSchema = string | readonly AvroSchema[] | { readonly [attribute: string]: unknown }

export interface AvroFile {
  readonly schema: AvroSchema
  /** What the header says beside schema and codec. */
  readonly metadata: Readonly<Record<string, string>>
  /** Longs are bigint; bytes and fixed are bytes; a union shows the value alone. */
  readonly records: readonly unknown[]
}

/** @param file.schema a record's */
export function encodeAvroFile({ schema, metadata, records }: AvroFile): Uint8Array {
  const type = typeFor(schema)
  const sync = randomBytes(SYNC_BYTES)
  const header = { 'avro.schema': JSON.stringify(schema), 'avro.codec': 'deflate', ...metadata }
  const values = Object.entries(header).map(([key, value]) => [key, Buffer.from(value, 'utf8')])
  const parts: Uint8Array[] = [MAGIC, HEADER.toBuffer(Object.fromEntries(values)), sync]
  for (let start = 0; start < records.length; start += BLOCK_RECORDS) {
    const block = records.slice(start, start + BLOCK_RECORDS).map((record) => type.toBuffer(record))
    const bytes = deflateRawSync(Buffer.concat(block))
    parts.push(LONG.toBuffer(BigInt(block.length)), LONG.toBuffer(BigInt(bytes.length)), bytes, sync)
  }
  return Buffer.concat(parts)
}

/**
 * @param name for messages
 * @throws InletError TABLE_UNREADABLE for what is no Avro file, is cut off, or is compressed in a way that is not known
 */
export function decodeAvroFile(name: string, body: Uint8Array): AvroFile {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw unreadable(name, 'it is no Avro file')
  const header: Decoded<Record<string, Buffer>> = HEADER.decode(bytes, MAGIC.length)
  if (header.offset < 0) throw unreadable(name, 'it ends within its header')
  const {
    'avro.schema': schemaText = '',
    'avro.codec': codec = 'null',
    ...metadata
  } = Object.fromEntries(Object.entries(header.value).map(([key, text]) => [key, text.toString('utf8')]))
  const schema = JSON.parse(schemaText) as AvroSchema
  const type = typeFor(schema)
  const sync = bytes.subarray(header.offset, header.offset + SYNC_BYTES)
  const records: unknown[] = []
  for (let at = header.offset + SYNC_BYTES; at < bytes.length; ) {
    const count: Decoded<bigint> = LONG.decode(bytes, at)
    const size: Decoded<bigint> = LONG.decode(bytes, count.offset)
    const end = size.offset + Number(size.value)
    if (count.offset < 0 || size.offset < 0 || !bytes.subarray(end, end + SYNC_BYTES).equals(sync))
      throw unreadable(name, `the block at byte ${at} is damaged`)
    const block = decompressed(name, codec, bytes.subarray(size.offset, end))
    let position = 0
    for (let i = 0n; i < count.value; i++) {
      const record: Decoded<unknown> = type.decode(block, position)
      if (record.offset < 0) throw unreadable(name, `the block at byte ${at} ends within a record`)
      records.push(record.value)
      position = record.offset
    }
    at = end + SYNC_BYTES
  }
  return { schema, metadata, records }
}

/** The offset is −1 when there are too few bytes. */
interface Decoded<T> {
  readonly value: T
  readonly offset: number
}

function typeFor(schema: AvroSchema): Type {
  const isLong = (part: unknown): boolean => part === 'long' || (part as { type?: unknown }).type === 'long'
  const typeHook = (part: Schema): Type | undefined => (isLong(part) ? LONG : undefined)
  return avro.Type.forSchema(schema as Schema, { typeHook, wrapUnions: 'never' })
}

const HEADER = avro.Type.forSchema({ type: 'map', values: 'bytes' })

function decompressed(name: string, codec: string, block: Buffer): Buffer {
  switch (codec) {
    case 'null':
      return block
    case 'deflate':
      return inflateRawSync(block)
    case 'zstandard':
      return zstdDecompressSync(block)
    case 'snappy':
      return unsnapped(name, block)
    default:
      throw unreadable(name, `it is compressed by "${codec}"; null, deflate, snappy and zstandard can be read`)
  }
}

/** The checksum of the uncompressed bytes, big-endian, follows what is compressed. */
function unsnapped(name: string, block: Buffer): Buffer {
  const compressed = block.subarray(0, -4)
  const bytes = Buffer.alloc(snappyLength(compressed))
  snappyUncompress(compressed, bytes)
  if (crc32(bytes) !== block.readUInt32BE(compressed.length)) throw unreadable(name, 'a block has another checksum')
  return bytes
}

/** How long a Snappy block is uncompressed: a varint at its beginning (Snappy's format description, section 1). */
function snappyLength(compressed: Buffer): number {
  let length = 0
  for (let i = 0; ; i++) {
    const byte = compressed.readUInt8(i)
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length
  }
}

function unreadable(name: string, reason: string): InletError {
  return new InletError('TABLE_UNREADABLE', `${name}: ${reason}`)
}
