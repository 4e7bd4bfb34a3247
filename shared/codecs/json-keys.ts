const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/** The keys that stand in a JSON text. */
export interface KeyCount {
  /** A key that stands there twice counts as two. */
  readonly keys: number
  /** Whether any of them is written with a backslash. */
  readonly escaped: boolean
}

/** Counts the keys of all objects. The text is valid JSON. */
export function countKeys(text: string): KeyCount {
  let keys = 0
  let escaped = false
  let isEscaped = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === QUOTE) {
      isEscaped = false
      for (i += 1; i < text.length; i++) {
        const inside = text.charCodeAt(i)
        if (inside === QUOTE) break
        if (inside === BACKSLASH) {
          isEscaped = true
          i += 1
        }
      }
    } else if (char === COLON) {
      keys += 1
      escaped ||= isEscaped
    }
  }
  return { keys, escaped }
}

/** @returns the path of the first key that its object has twice; empty when there is none. The text is valid JSON. */
export function duplicateKey(text: string): (string | number)[] {
  const open: { readonly keys: Set<string> | undefined; at: string | number }[] = []
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    const container = open.at(-1)
    if (char === '{') open.push({ keys: new Set(), at: '' })
    else if (char === '[') open.push({ keys: undefined, at: 0 })
    else if (char === '}' || char === ']') open.pop()
    else if (char === ',' && typeof container?.at === 'number') container.at += 1
    else if (char === '"') {
      const end = endOfString(text, i)
      if (container?.keys !== undefined && isKey(text, end)) {
        const key = JSON.parse(text.slice(i, end + 1)) as string
        container.at = key
        if (container.keys.has(key)) return open.map(({ at }) => at)
        container.keys.add(key)
      }
      i = end
    }
  }
  return []
}

/**
 * Parses a text with each of its keys read alone. V8 takes an escaped key for another one, with a backslash in it, that it
 * has seen before in any text (nodejs/node issue 63785): after `{"\\":1}`, `{"\n":1}` has the key `\`.
 * @param parse for what is left when every key has been replaced by a plain one
 * @param depth arrays and objects within one another that get their names back; what is deeper is of no use to the caller
 */
export function parseKeysAlone(text: string, parse: (text: string) => unknown, depth: number): unknown {
  const names: string[] = []
  const parts: string[] = []
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== QUOTE) continue
    const end = endOfString(text, i)
    if (isKey(text, end)) {
      parts.push(text.slice(from, i), `"k${names.length}"`)
      names.push(JSON.parse(text.slice(i, end + 1)) as string)
      from = end + 1
    }
    i = end
  }
  return named(parse(parts.join('') + text.slice(from)), names, depth)
}

function named(value: unknown, names: readonly string[], depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth < 0) return value
  if (Array.isArray(value)) return value.map((item) => named(item, names, depth - 1))
  const entries = Object.entries(value).map(([key, part]) => [
    names[Number(key.slice(1))],
    named(part, names, depth - 1),
  ])
  return Object.fromEntries(entries) as unknown
}

/** Whether the string that ends there is a key. */
function isKey(text: string, end: number): boolean {
  let i = end + 1
  // The white space of JSON, all of it not above the blank (RFC 8259, section 2).
  while (text.charCodeAt(i) <= 0x20) i += 1
  return text.charCodeAt(i) === COLON
}

/** @param start where the opening quote is; @returns where the closing one is */
function endOfString(text: string, start: number): number {
  let i = start + 1
  for (; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === QUOTE) break
    if (char === BACKSLASH) i += 1
  }
  return i
}
