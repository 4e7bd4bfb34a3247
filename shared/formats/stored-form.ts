import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { storedDate, storedInstant } from './instant.ts'
import { UnstorableError } from './unstorable.ts'

/** A value of a row → what Parquet stores of it. @throws UnstorableError when that would not be the same value */
export type Store = (value: unknown) => unknown

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** The stored form of a type's values; null and undefined are for the caller. */
export function storedForm(type: ColumnType): Store {
  switch (type.kind) {
    case 'string':
      return storedText
    case 'boolean':
      return storedBoolean
    case 'int32':
      return storedInt32
    case 'int64':
      return storedInt64
    case 'float':
      return storedFloat
    case 'double':
      return storedDouble
    case 'timestamp':
      return (value) => storedInstant(value, type.unit, type.utc)
    case 'date':
      return storedDate
    case 'uuid':
      return storedUuid
    case 'decimal':
      return (value) => storedDecimal(value, type.precision, type.scale)
    case 'binary':
      return storedBinary
    case 'list': {
      const store = orNull(type.element)
      // Array.from also visits the holes of an array.
      return (value) => Array.from(expectList(value), store)
    }
    case 'map': {
      const store = orNull(type.value)
      return (value) => entriesOf(value).map(([key, item]) => ({ key: storedText(key), value: store(item) }))
    }
    case 'struct': {
      const stores = type.fields.map((field) => [field.name, orNull(field)] as const)
      return (value) => {
        const struct = expectStruct(value)
        return Object.fromEntries(stores.map(([name, store]) => [name, store(struct[name])]))
      }
    }
  }
}

function orNull({ name, type, nullable }: Column): Store {
  const store = storedForm(type)
  return (value) => {
    if (value !== null && value !== undefined) return store(value)
    if (!nullable) throw new UnstorableError(`expected a value for "${name}", found none`)
    return null
  }
}

function expectList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnstorableError('expected a list')
  return value
}

function expectStruct(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || Array.isArray(value)) throw new UnstorableError('expected an object')
  return value as Record<string, unknown>
}

function entriesOf(value: unknown): [unknown, unknown][] {
  return value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(expectStruct(value))
}

/** UTF-8 has no halves of surrogate pairs: an encoder would replace them without a word. */
function storedText(value: unknown): string {
  if (typeof value !== 'string') throw new UnstorableError('expected text')
  if (!value.isWellFormed()) throw new UnstorableError('the text has half of a surrogate pair, which UTF-8 cannot hold')
  return value
}

function storedBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new UnstorableError('expected true or false')
  return value
}

function storedInt32(value: unknown): number {
  if (typeof value !== 'number' || value !== (value | 0))
    throw new UnstorableError('expected a whole number of at most 32 bits')
  return value
}

function storedInt64(value: unknown): bigint {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return BigInt(value)
    throw new UnstorableError('expected a whole number that is exact')
  }
  if (typeof value !== 'bigint' || value < INT64_MIN || value > INT64_MAX)
    throw new UnstorableError('expected a whole number of at most 64 bits')
  return value
}

/** The nearest number of 32 bits: whoever declares so few wants no more of them. */
function storedFloat(value: unknown): number {
  const double = storedDouble(value)
  const float = Math.fround(double)
  if (Number.isFinite(double) && !Number.isFinite(float))
    throw new UnstorableError('the number is beyond what a float of 32 bits can hold')
  return float
}

function storedDouble(value: unknown): number {
  if (typeof value !== 'number') throw new UnstorableError('expected a number')
  return value
}

const UUID = /^[0-9a-f]{8}(?<dash>-?)[0-9a-f]{4}\k<dash>[0-9a-f]{4}\k<dash>[0-9a-f]{4}\k<dash>[0-9a-f]{12}$/i

function storedUuid(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !UUID.test(value)) throw new UnstorableError('expected a UUID')
  return Buffer.from(value.replaceAll('-', ''), 'hex')
}

/** Bytes, or base64 of them. */
function storedBinary(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64')
    if (bytes.toString('base64') === value) return bytes
  }
  throw new UnstorableError('expected bytes, or base64 of them')
}

/** `-12.5` as decimal(10,2) is −1250: exact, or refused. */
function storedDecimal(value: unknown, precision: number, scale: number): bigint {
  const parts = /^(?<sign>-?)(?<whole>\d+)(?:\.(?<fraction>\d+))?$/.exec(String(value))?.groups
  if (parts === undefined) throw new UnstorableError('expected a decimal number, as -12.50')
  const { sign, whole = '', fraction = '' } = parts
  if (/[1-9]/.test(fraction.slice(scale)))
    throw new UnstorableError(`expected at most ${scale} digits behind the point`)
  const digits = `${whole}${fraction.slice(0, scale).padEnd(scale, '0')}`.replace(/^0+/, '')
  if (digits.length > precision) throw new UnstorableError(`expected at most ${precision} digits`)
  return BigInt(`${sign}${digits === '' ? '0' : digits}`)
}
