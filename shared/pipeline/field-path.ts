import { shortened } from './message.ts'

const MAX_NAME = 40

/** `['stops', 0, 'gate']` → `stops[0].gate`; null for the value itself. Names that are no plain words, or long, are quoted. */
export function fieldPath(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : namePart(String(key), i === 0))).join('')
}

function namePart(name: string, first: boolean): string {
  if (name.length <= MAX_NAME && /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name)) return first ? name : `.${name}`
  return `[${JSON.stringify(shortened(name, MAX_NAME))}]`
}
