import { createHash } from 'node:crypto'
import type * as z from 'zod'

/** A short digest of nested data in which schemas count by their definitions and functions by their source. */
export function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(plain(value, [])))
    .digest('hex')
    .slice(0, 12)
}

/** @param within the schemas around a value: one that contains itself is told by how far up it begins */
function plain(value: unknown, within: readonly unknown[]): unknown {
  if (typeof value === 'function' || value instanceof RegExp || typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (within.includes(value)) return `up ${within.length - within.indexOf(value)}`
  const inside = [...within, value]
  if (Array.isArray(value)) return value.map((item) => plain(item, inside))
  const parts = '_zod' in value ? (value as z.core.$ZodType)._zod.def : value
  return Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, plain(part, inside)]))
}
