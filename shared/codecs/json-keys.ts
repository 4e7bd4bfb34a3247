const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/** How many keys the objects of a JSON text have, counting a key that stands there twice as two. The text is valid JSON. */
export function countKeys(text: string): number {
  let keys = 0
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === QUOTE) i = endOfString(text, i)
    else if (char === COLON) keys += 1
  }
  return keys
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
      const isKey = container?.keys !== undefined && /^\s*:/.test(text.slice(end + 1))
      if (isKey) {
        const key = JSON.parse(text.slice(i, end + 1)) as string
        container.at = key
        if (container.keys?.has(key)) return open.map(({ at }) => at)
        container.keys?.add(key)
      }
      i = end
    }
  }
  return []
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
