import { createHash } from 'node:crypto'
import type * as z from 'zod'

/** A short digest of nested data in which schemas count by their definitions and functions by their source. */
export function digest(value: unknown): string {
  const seen = new Set<unknown>()
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'function' || part instanceof RegExp || typeof part === 'bigint') return String(part)
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    if ('_zod' in part) {
      // A recursive schema meets itself again: once is enough.
      if (seen.has(part)) return 'seen'
      seen.add(part)
      return (part as z.core.$ZodType)._zod.def
    }
    return part
  })
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
