/**
 * A short way for the records that most topics are made of: one object, no objects or lists in it, the same keys in the same
 * order as in a record before. It reads such a text in one pass, with fewer steps than `JSON.parse` and the checks behind it
 * take; of any other it says nothing.
 */

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const BACKSLASH = 0x5c
const SMALL_E = 0x65
const OPEN = 0x7b
const CLOSE = 0x7d
/** A whole number of so many digits is one that a double holds. */
const EXACT_DIGITS = 15
/** Orders of keys that are remembered: producers leave out what is optional, and are of several versions. */
const MAX_SHAPES = 4
/** More keys than that are hardly ever the same twice. */
const MAX_KEYS = 200

interface Shape {
  readonly keys: readonly string[]
  readonly make: (values: readonly unknown[]) => object
}

/** Reads flat objects like those that it was shown. */
export class FlatJson {
  /** The one that fitted last comes first. */
  readonly #shapes: Shape[] = []
  readonly #values: unknown[] = []

  /** @returns what `JSON.parse` makes of the text; undefined when it may be anything but such an object, or is none that is strict */
  read(text: string): object | undefined {
    const shapes = this.#shapes
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i] as Shape
      if (!scan(text, shape.keys, this.#values)) continue
      if (i > 0) shapes.unshift(...shapes.splice(i, 1))
      return shape.make(this.#values)
    }
    return undefined
  }

  /** @param value what was read of a text that is strict JSON, and whose keys are without escapes */
  learn(value: unknown): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const keys = Object.keys(value)
    if (keys.length === 0 || keys.length > MAX_KEYS || Object.values(value).some((part) => part instanceof Object))
      return
    const isKnown = this.#shapes.some((shape) => shape.keys.join('"') === keys.join('"'))
    // Without an end, a topic of ever other keys would have a function made for each record.
    if (isKnown || this.#shapes.length === MAX_SHAPES) return
    this.#shapes.unshift({ keys, make: makerOf(keys) })
  }
}

/** An object of a literal has its shape from the beginning, and is read faster than one that grew. */
function makerOf(keys: readonly string[]): Shape['make'] {
  const fields = keys.map((key, i) => `${JSON.stringify(key)}: values[${i}]`)
  // oxlint-disable-next-line no-implied-eval -- of keys, as string literals
  return new Function('values', `return { ${fields.join(', ')} }`) as Shape['make']
}

/** Reads the values of an object that has these keys in this order (RFC 8259). @returns false when there is anything else */
function scan(text: string, keys: readonly string[], values: unknown[]): boolean {
  let at = 0
  for (let i = 0; i < keys.length; i++) {
    at = afterBlanks(text, at)
    if (text.charCodeAt(at) !== (i === 0 ? OPEN : COMMA)) return false
    at = afterKey(text, afterBlanks(text, at + 1), keys[i] as string)
    if (at < 0) return false
    at = afterBlanks(text, at)
    if (text.charCodeAt(at) !== COLON) return false
    at = afterBlanks(text, at + 1)
    const first = text.charCodeAt(at)
    if (first === QUOTE) {
      const end = endOfPlainString(text, at + 1)
      if (end < 0) return false
      values[i] = text.slice(at + 1, end)
      at = end + 1
    } else if (first === MINUS || (first >= ZERO && first <= NINE)) {
      const end = endOfNumber(text, at)
      if (end < 0) return false
      values[i] = Number(text.slice(at, end))
      at = end
    } else {
      const literal = literalAt(text, at, first)
      if (literal === undefined) return false
      values[i] = literal.value
      at += literal.length
    }
  }
  at = afterBlanks(text, at)
  return text.charCodeAt(at) === CLOSE && afterBlanks(text, at + 1) === text.length
}

/** Behind the end of a text there is NaN, which is no character. */
function afterBlanks(text: string, from: number): number {
  let at = from
  for (;;) {
    const char = text.charCodeAt(at)
    if (char > 0x20 || !(char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09)) return at
    at += 1
  }
}

/** @returns where the key in quotes ends; −1 when another one stands there */
function afterKey(text: string, from: number, key: string): number {
  if (text.charCodeAt(from) !== QUOTE) return -1
  const start = from + 1
  for (let i = 0; i < key.length; i++) if (text.charCodeAt(start + i) !== key.charCodeAt(i)) return -1
  const end = start + key.length
  return text.charCodeAt(end) === QUOTE ? end + 1 : -1
}

/** @returns where the closing quote is; −1 when there is an escape, or what a string may not hold */
function endOfPlainString(text: string, from: number): number {
  for (let at = from; ; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) return at
    if (!(char >= 0x20) || char === BACKSLASH) return -1
  }
}

/** @returns where a number ends; −1 when it is none, or one of so many digits that a double may not hold it */
function endOfNumber(text: string, from: number): number {
  const whole = text.charCodeAt(from) === MINUS ? from + 1 : from
  let at = afterDigits(text, whole)
  const digits = at - whole
  if (digits === 0 || digits > EXACT_DIGITS || (digits > 1 && text.charCodeAt(whole) === ZERO)) return -1
  if (text.charCodeAt(at) === POINT) {
    const fraction = at + 1
    at = afterDigits(text, fraction)
    if (at === fraction) return -1
  }
  // A number with an exponent may be beyond what a double holds.
  return (text.charCodeAt(at) | 0x20) === SMALL_E ? -1 : at
}

function afterDigits(text: string, from: number): number {
  let at = from
  for (;;) {
    const char = text.charCodeAt(at)
    if (!(char >= ZERO && char <= NINE)) return at
    at += 1
  }
}

interface Literal {
  readonly value: boolean | null
  readonly length: number
}

const LITERALS: ReadonlyMap<number, Literal & { readonly text: string }> = new Map(
  [null, true, false].map((value) => {
    const text = String(value)
    return [text.charCodeAt(0), { value, text, length: text.length }]
  }),
)

function literalAt(text: string, at: number, first: number): Literal | undefined {
  const literal = LITERALS.get(first)
  return literal !== undefined && text.startsWith(literal.text, at) ? literal : undefined
}
