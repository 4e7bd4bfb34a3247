/** The hybrid of run lengths and bit packing (Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"). */

/** Values that are packed together, and the fewest of one kind that are worth a run. */
const GROUP = 8
/** The most bytes of a run: its length as a varint, and its value. */
const RUN_BYTES = 9

/** Bits that hold every number below a count. */
export function bitWidthOf(count: number): number {
  return count < 2 ? 0 : 32 - Math.clz32(count - 1)
}

/**
 * @param values whole numbers from 0, of at most `bitWidth` bits
 * @param bitWidth 24 at the most
 */
export function hybridBytes(values: ArrayLike<number>, count: number, bitWidth: number): Uint8Array {
  const groups = Math.ceil(count / GROUP)
  const bytes = new Uint8Array(groups * (Math.max(bitWidth, RUN_BYTES) + 5))
  let at = 0
  let packedFrom = 0
  const pack = (to: number): void => {
    if (to > packedFrom) at = writePacked(bytes, at, values, packedFrom, Math.min(to, count), bitWidth)
  }
  let i = 0
  while (i < count) {
    const run = runLength(values, i, count)
    if (run < GROUP) i += GROUP
    else {
      pack(i)
      at = writeRun(bytes, at, values[i] as number, run, bitWidth)
      i += run
      packedFrom = i
    }
  }
  pack(i)
  return bytes.subarray(0, at)
}

function runLength(values: ArrayLike<number>, from: number, count: number): number {
  const first = values[from]
  let i = from + 1
  while (i < count && values[i] === first) i += 1
  return i - from
}

function writeRun(bytes: Uint8Array, from: number, value: number, length: number, bitWidth: number): number {
  let at = writeVarint(bytes, from, length << 1)
  for (let bits = 0; bits < bitWidth; bits += 8) bytes[at++] = value >>> bits
  return at
}

/** The last group is filled up with zeros: how many values there are is known from elsewhere. */
function writePacked(
  bytes: Uint8Array,
  from: number,
  values: ArrayLike<number>,
  start: number,
  end: number,
  bitWidth: number,
): number {
  const groups = Math.ceil((end - start) / GROUP)
  let at = writeVarint(bytes, from, (groups << 1) | 1)
  const last = at + groups * bitWidth
  let buffer = 0
  let bits = 0
  for (let i = start; i < end; i++) {
    buffer |= (values[i] as number) << bits
    bits += bitWidth
    while (bits >= 8) {
      bytes[at++] = buffer
      buffer >>>= 8
      bits -= 8
    }
  }
  if (bits > 0) bytes[at] = buffer
  return last
}

function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let at = from
  let rest = value
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}
