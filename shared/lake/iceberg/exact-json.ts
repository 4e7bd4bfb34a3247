/**
 * JSON with all digits of its integers: ids of snapshots are random numbers of 63 bits, which a double does not hold.
 * `JSON.rawJSON` and the source of what is parsed are in Node.js 22 and later (ECMAScript, "JSON.parse source text access").
 */
interface ExactJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

const json = JSON as unknown as ExactJson

/** Integers that a number does not hold exactly are bigint. @throws SyntaxError */
export function parseExact(text: string): unknown {
  return json.parse(text, (_key, value, { source }) => {
    const isInexact = typeof value === 'number' && !Number.isSafeInteger(value)
    return isInexact && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value
  })
}

/** A bigint is written as an integer. */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? json.rawJSON(String(part)) : part))
}
