/**
 * MurmurHash3, 32 bits, x86 variant, seed 0: the hash of Iceberg's bucket transform (specification, Appendix B "32-bit Hash
 * Requirements"). Every function gives a signed 32-bit integer.
 */

const C1 = 0xcc9e2d51
const C2 = 0x1b873593

/** Texts up to a third of it, which is what three bytes of UTF-8 per unit of UTF-16 come to, are hashed without allocation. */
const scratch = Buffer.allocUnsafe(1536)

/** The first `length` bytes. */
export function hashBytes(bytes: Uint8Array, length: number = bytes.length): number {
  const tail = length & ~3
  let hash = 0
  for (let i = 0; i < tail; i += 4) hash = withBlock(hash, littleEndian(bytes, i, 4))
  if (tail < length) hash ^= scrambled(littleEndian(bytes, tail, length - tail))
  return finished(hash, length)
}

/** A text, as UTF-8. */
export function hashText(text: string): number {
  if (text.length * 3 > scratch.length) return hashBytes(Buffer.from(text))
  return hashBytes(scratch, scratch.write(text))
}

/** An integer of at most 64 bits, as eight bytes: int, long, date and timestamp are hashed alike. */
export function hashInteger(value: number | bigint): number {
  const low = typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value))
  const high = typeof value === 'number' ? Math.floor(value / 2 ** 32) | 0 : Number(BigInt.asIntN(32, value >> 32n))
  return finished(withBlock(withBlock(0, low), high), 8)
}

/** The integer that up to four bytes are. */
function littleEndian(bytes: Uint8Array, start: number, count: number): number {
  let block = 0
  for (let i = count - 1; i >= 0; i--) block = (block << 8) | (bytes[start + i] as number)
  return block
}

function withBlock(hash: number, block: number): number {
  return (Math.imul(rotated(hash ^ scrambled(block), 13), 5) + 0xe6546b64) | 0
}

function scrambled(block: number): number {
  return Math.imul(rotated(Math.imul(block, C1), 15), C2)
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function finished(hash: number, length: number): number {
  let mixed = hash ^ length
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
