/** `['stops', 0, 'gate']` → `stops[0].gate`; null for the value itself. Names that are no plain words are quoted. */
export function fieldPath(path: readonly PropertyKey[]): string | null {
  if (path.length === 0) return null
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : namePart(String(key), i === 0))).join('')
}

function namePart(name: string, first: boolean): string {
  if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name)) return first ? name : `.${name}`
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name
  return `[${JSON.stringify(shown)}]`
}
