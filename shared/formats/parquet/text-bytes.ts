import type { Bounds } from './column-chunk.ts'
import { grown } from './growth.ts'

/** Bytes before each text, which say how long it is. */
const LENGTH_BYTES = 4
/** A text of more is quicker to encode by a call of Node. */
const SHORT = 32

/** Texts as a file holds them, plain: the length, then the UTF-8 (Parquet format, Encodings.md, "Plain"). */
export class TextBytes {
  #bytes: Buffer<ArrayBuffer> = Buffer.alloc(0)
  #starts = new Int32Array(0)
  #count = 0
  #end = 0

  get count(): number {
    return this.#count
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  get memory(): number {
    return this.#bytes.length + this.#starts.byteLength
  }

  /** Where a text begins, or the end behind the last one. */
  start(i: number): number {
    return i === this.#count ? this.#end : (this.#starts[i] as number)
  }

  /** @param text without halves of surrogate pairs */
  push(text: string): void {
    if (this.#count === this.#starts.length) this.#starts = grown(this.#starts)
    this.#starts[this.#count] = this.#end
    this.#count += 1
    // No UTF-16 unit takes more than three bytes of UTF-8.
    const most = this.#end + LENGTH_BYTES + 3 * text.length
    if (most > this.#bytes.length) this.#bytes = Buffer.from(grown(new Uint8Array(this.#bytes), most).buffer)
    const from = this.#end + LENGTH_BYTES
    const length = asciiWritten(this.#bytes, from, text) ?? this.#bytes.write(text, from, 'utf8')
    this.#bytes.writeUInt32LE(length, this.#end)
    this.#end = from + length
  }

  pop(): void {
    this.#count -= 1
    this.#end = this.#starts[this.#count] as number
  }

  /** The least and the greatest by their bytes, which is also the order of their code points. */
  bounds(): Bounds {
    if (this.#count === 0) return { min: undefined, max: undefined }
    let [least, greatest] = [0, 0]
    for (let i = 1; i < this.#count; i++) {
      if (this.#compare(i, least) < 0) least = i
      else if (this.#compare(i, greatest) > 0) greatest = i
    }
    return { min: this.#text(least), max: this.#text(greatest) }
  }

  #compare(a: number, b: number): number {
    const bytes = this.#bytes
    const [startA, startB] = [this.start(a) + LENGTH_BYTES, this.start(b) + LENGTH_BYTES]
    const [lengthA, lengthB] = [this.start(a + 1) - startA, this.start(b + 1) - startB]
    const length = Math.min(lengthA, lengthB)
    for (let i = 0; i < length; i++) {
      const difference = (bytes[startA + i] as number) - (bytes[startB + i] as number)
      if (difference !== 0) return difference
    }
    return lengthA - lengthB
  }

  #text(i: number): Uint8Array {
    return this.#bytes.subarray(this.start(i) + LENGTH_BYTES, this.start(i + 1))
  }
}

/** @returns undefined for a text that is not short, or not all of ASCII; its bytes are then of no meaning */
function asciiWritten(bytes: Uint8Array, from: number, text: string): number | undefined {
  const { length } = text
  if (length > SHORT) return undefined
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return undefined
    bytes[from + i] = unit
  }
  return length
}
