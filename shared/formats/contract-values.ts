import type * as z from 'zod'
import type { ColumnType } from '#shared/pipeline/columns.ts'

type Schema = z.core.$ZodType | undefined
type Read = (stored: unknown) => unknown

/**
 * What Parquet stores of a value → the value as a contract gives it: the inverse of `storedForm`, as far as a contract tells
 * what it was. An instant that was a text comes back as the same instant in UTC. Storing it again gives the same bytes.
 * @param schema of the value; undefined for columns that are not the pipeline's
 */
export function contractValue(type: ColumnType, schema: Schema): Read {
  const missing = schema !== undefined && !takesNull(schema) ? undefined : null
  const read = readerOf(type, schema === undefined ? undefined : innermost(schema))
  return (stored) => (stored === null || stored === undefined ? missing : read(stored))
}

function takesNull(schema: z.core.$ZodType): boolean {
  return (schema as z.ZodType).safeParse(null).success
}

/** The schema that says what a value is; undefined when several could. */
function innermost(schema: z.core.$ZodType): Schema {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if ('innerType' in def) return innermost(def.innerType)
  if (def.type === 'pipe') return innermost(def.out)
  if (def.type !== 'union') return schema
  const [only, another] = def.options.filter((option) => !isNull(option))
  return only === undefined || another !== undefined ? undefined : innermost(only)
}

function isNull(schema: z.core.$ZodType): boolean {
  return ['null', 'undefined'].includes((schema as z.core.$ZodTypes)._zod.def.type)
}

function readerOf(type: ColumnType, schema: Schema): Read {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def
  switch (type.kind) {
    case 'int64':
      return def?.type === 'bigint' ? (stored) => BigInt(stored as bigint) : exactNumber
    case 'timestamp':
      return def?.type === 'date'
        ? (us) => new Date(Number((us as bigint) / 1000n))
        : (us) => instantText(us as bigint, type.utc)
    case 'date':
      return (days) => new Date((days as number) * 86_400_000).toISOString().slice(0, 10)
    case 'decimal':
      return (stored) => decimalText(stored, type.scale)
    case 'binary':
      return def?.type === 'string' ? (bytes) => Buffer.from(bytes as Uint8Array).toString('base64') : asStored
    case 'list': {
      const { element } = type
      const read = contractValue(element.type, def?.type === 'array' ? def.element : undefined)
      return (items) => (items as unknown[]).map(read)
    }
    case 'map': {
      const of = def?.type === 'map' || def?.type === 'record' ? def : undefined
      const read = contractValue(type.value.type, of?.valueType)
      const entries = (map: unknown): [string, unknown][] =>
        Object.entries(map as object).map(([key, value]) => [key, read(value)])
      return of?.type === 'map' ? (map) => new Map(entries(map)) : (map) => Object.fromEntries(entries(map))
    }
    case 'struct': {
      const shape = def?.type === 'object' ? def.shape : {}
      const fields = type.fields.map((field) => [field.name, contractValue(field.type, shape[field.name])] as const)
      return (struct) =>
        Object.fromEntries(fields.map(([name, read]) => [name, read((struct as Record<string, unknown>)[name])]))
    }
    default:
      return asStored
  }
}

const asStored: Read = (stored) => stored

function exactNumber(stored: unknown): number | bigint {
  const number = Number(stored)
  return Number.isSafeInteger(number) ? number : BigInt(stored as bigint)
}

const YEAR_0 = -62_167_219_200_000
const YEAR_10000 = Date.UTC(10_000, 0)

/** ISO 8601, with as many digits of a second as it takes; milliseconds where its years end. */
function instantText(us: bigint, utc: boolean): string | number {
  const micros = ((us % 1000n) + 1000n) % 1000n
  const ms = Number((us - micros) / 1000n)
  if (ms < YEAR_0 || ms >= YEAR_10000) return ms
  const text = new Date(ms).toISOString().slice(0, -1)
  const digits = micros === 0n ? text : `${text}${String(micros).padStart(3, '0')}`
  return utc ? `${digits}Z` : digits
}

function decimalText(stored: unknown, scale: number): string {
  const unscaled =
    stored instanceof Uint8Array
      ? BigInt.asIntN(8 * stored.length, BigInt(`0x${Buffer.from(stored).toString('hex')}`))
      : BigInt(stored as bigint | number)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
