import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { UnstorableError } from './unstorable.ts'

/** A stored value (see `storedForm`) → its JSON text. @throws UnstorableError when there is none that readers know */
export type JsonText = (stored: unknown) => string

/**
 * The JSON text of a type's values: 64-bit integers are numbers with all their digits; decimals are text, for most readers
 * make doubles of JSON's numbers; times, dates and UUIDs are ISO text; bytes are base64; NaN and the infinities, which JSON does not know, are the text "NaN", "Infinity",
 * "-Infinity".
 */
function jsonTextOf(type: ColumnType): JsonText {
  switch (type.kind) {
    case 'int64':
      return String
    case 'decimal':
      return (stored) => decimalText(stored as bigint, type.scale)
    case 'timestamp':
      return (stored) => timestampText(stored as bigint, type.unit, type.utc)
    case 'date':
      return (stored) => `"${isoText((stored as number) * 86_400_000).slice(0, -14)}"`
    case 'uuid':
      return uuidText
    case 'binary':
      return (stored) => `"${Buffer.from(stored as Uint8Array).toString('base64')}"`
    case 'float':
    case 'double':
      return numberText
    case 'list': {
      const text = orNull(type.element)
      return (stored) => `[${(stored as unknown[]).map(text).join(',')}]`
    }
    case 'map': {
      const text = orNull(type.value)
      return (stored) => {
        const entries = stored as { key: string; value: unknown }[]
        return `{${entries.map(({ key, value }) => `${JSON.stringify(key)}:${text(value)}`).join(',')}}`
      }
    }
    case 'struct': {
      const fields = type.fields.map((field) => [field.name, `${JSON.stringify(field.name)}:`, orNull(field)] as const)
      return (stored) => `{${fields.map(([name, key, text]) => key + text((stored as Row)[name])).join(',')}}`
    }
    default:
      return JSON.stringify
  }
}

/** The text of a column's values, null among them. */
export function orNull({ type }: Column): JsonText {
  const text = jsonTextOf(type)
  return (stored) => (stored === null ? 'null' : text(stored))
}

/** −0 has a point: without it many parsers read an integer, which has no such zero. */
function numberText(stored: unknown): string {
  if (Object.is(stored, -0)) return '-0.0'
  return Number.isFinite(stored) ? String(stored) : `"${String(stored)}"`
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return `"${unscaled}"`
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `"${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}"`
}

function uuidText(stored: unknown): string {
  const hex = Buffer.from(stored as Uint8Array).toString('hex')
  return `"${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}"`
}

function timestampText(stored: bigint, unit: 'us' | 'ms', utc: boolean): string {
  const micros = unit === 'us' ? ((stored % 1000n) + 1000n) % 1000n : 0n
  const ms = unit === 'us' ? (stored - micros) / 1000n : stored
  const digits = unit === 'us' ? String(micros).padStart(3, '0') : ''
  return `"${isoText(Number(ms)).slice(0, -1)}${digits}${utc ? 'Z' : ''}"`
}

const YEAR_1 = -62_135_596_800_000
const YEAR_10000 = 253_402_300_800_000

/** One time that an engine cannot read makes the whole file unreadable to it. */
function isoText(ms: number): string {
  if (ms < YEAR_1 || ms >= YEAR_10000) throw new UnstorableError('JSON Lines hold times of the years 1 to 9999 only')
  return new Date(ms).toISOString()
}
