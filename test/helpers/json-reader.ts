/**
 * JSON as RFC 8259 writes it, read character by character: slow, plain, and with nothing in common with the decoder that it
 * is compared with.
 */

/** A text that is JSON, with all that the decoder may object to. */
export interface JsonText {
  /** Integers that a double does not hold are bigint. Of equal keys the last counts. */
  readonly value: unknown
  /** Whether an object has a key twice. */
  readonly hasDuplicates: boolean
  /** All keys, and all strings. */
  readonly keys: readonly string[]
  readonly strings: readonly string[]
  /** Arrays and objects within one another. */
  readonly depth: number
  /** Numbers as they are written. */
  readonly numbers: readonly string[]
}

/** @returns undefined for what is no JSON text, or deeper than 1,000 levels */
export function readJson(text: string): JsonText | undefined {
  const reader = new Reader(text)
  try {
    const value = reader.text()
    const { hasDuplicates, keys, strings, depth, numbers } = reader
    return { value, hasDuplicates, keys, strings, depth, numbers }
  } catch (error) {
    if (error instanceof NoJsonError) return undefined
    throw error
  }
}

class NoJsonError extends Error {}

const MAX_DEPTH = 1000

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Reader {
  readonly keys: string[] = []
  readonly strings: string[] = []
  readonly numbers: string[] = []
  hasDuplicates = false
  depth = 0
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  text(): unknown {
    this.#space()
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) throw new NoJsonError()
    return value
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new NoJsonError()
    const char = this.#text[this.#at]
    if (char === '{') return this.#object(depth + 1)
    if (char === '[') return this.#array(depth + 1)
    if (char === '"') {
      const string = this.#string()
      this.strings.push(string)
      return string
    }
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const)
      if (this.#take(word)) return value
    return this.#number()
  }

  #object(depth: number): unknown {
    this.depth = Math.max(this.depth, depth)
    const fields: [string, unknown][] = []
    this.#members('{', '}', () => {
      if (this.#text[this.#at] !== '"') throw new NoJsonError()
      const key = this.#string()
      this.keys.push(key)
      if (fields.some(([name]) => name === key)) this.hasDuplicates = true
      this.#space()
      if (!this.#take(':')) throw new NoJsonError()
      this.#space()
      fields.push([key, this.#value(depth)])
    })
    return Object.fromEntries(fields)
  }

  #array(depth: number): unknown {
    this.depth = Math.max(this.depth, depth)
    const items: unknown[] = []
    this.#members('[', ']', () => items.push(this.#value(depth)))
    return items
  }

  #members(open: string, close: string, member: () => unknown): void {
    this.#take(open)
    this.#space()
    if (this.#take(close)) return
    do {
      this.#space()
      member()
      this.#space()
    } while (this.#take(','))
    if (!this.#take(close)) throw new NoJsonError()
  }

  #string(): string {
    let string = ''
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) {
      const char = this.#text[this.#at]
      if (char === undefined || char < ' ') throw new NoJsonError()
      string += char === '\\' ? this.#escape() : char
    }
    this.#at += 1
    return string
  }

  #escape(): string {
    this.#at += 1
    const letter = this.#text[this.#at] ?? ''
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 1, this.#at + 5)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new NoJsonError()
      this.#at += 4
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    const char = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined
    if (char === undefined) throw new NoJsonError()
    return char
  }

  #number(): unknown {
    const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
    number.lastIndex = this.#at
    const [written] = number.exec(this.#text) ?? []
    if (written === undefined) throw new NoJsonError()
    this.#at += written.length
    this.numbers.push(written)
    const value = Number(written)
    return /^-?[0-9]+$/.test(written) && !Number.isSafeInteger(value) ? BigInt(written) : value
  }

  #space(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }
}
