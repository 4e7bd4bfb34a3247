import { grown } from './growth.ts'
import { TextBytes } from './text-bytes.ts'

/** Bytes of memory that an entry takes beside its text: a string, a key of a map, two numbers. */
const ENTRY_BYTES = 100
/** Codes below take two bytes. */
const NARROW = 2 ** 16
/** A longer piece of a text is V8's only by name, and keeps the whole text in memory. */
const COPIED = 12

/** Texts of which many are equal: each is kept once. */
export class TextDictionary {
  readonly #codeOf = new Map<string, number>()
  readonly #entries: string[] = []
  /** Where each of the entries came first. */
  readonly #firsts: number[] = []
  #codes: Uint16Array | Int32Array = new Uint16Array(0)
  #count = 0
  #textBytes = 0

  /** Texts that were taken. */
  get count(): number {
    return this.#count
  }

  /** Texts that differ. */
  get size(): number {
    return this.#entries.length
  }

  get codes(): Uint16Array | Int32Array {
    return this.#codes.subarray(0, this.#count)
  }

  get memory(): number {
    return this.#codes.byteLength + this.#textBytes + this.#entries.length * ENTRY_BYTES
  }

  push(text: string): void {
    let code = this.#codeOf.get(text)
    if (code === undefined) {
      code = this.#entries.length
      const own = text.length > COPIED ? Buffer.from(text, 'utf8').toString('utf8') : text
      this.#codeOf.set(own, code)
      this.#entries.push(own)
      this.#firsts.push(this.#count)
      this.#textBytes += 2 * text.length
      if (code === NARROW) this.#codes = Int32Array.from(this.#codes)
    }
    if (this.#count === this.#codes.length) this.#codes = grown(this.#codes)
    this.#codes[this.#count] = code
    this.#count += 1
  }

  /** Takes back the last text, and its entry when no other has it: bounds are those of the entries. */
  pop(): void {
    this.#count -= 1
    if (this.#firsts.at(-1) !== this.#count) return
    this.#firsts.pop()
    const text = this.#entries.pop() as string
    this.#codeOf.delete(text)
    this.#textBytes -= 2 * text.length
  }

  /** Each text that differs, in the order of the codes. */
  entries(): TextBytes {
    const bytes = new TextBytes()
    for (const text of this.#entries) bytes.push(text)
    return bytes
  }

  /** All texts, in their order. */
  texts(): TextBytes {
    const bytes = new TextBytes()
    for (const code of this.codes) bytes.push(this.#entries[code] as string)
    return bytes
  }

  /** Bytes of all texts when they are written plain. @param entries those of `entries()` */
  plainBytes(entries: TextBytes): number {
    let sum = 0
    for (const code of this.codes) sum += entries.start(code + 1) - entries.start(code)
    return sum
  }
}
