import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'

/**
 * A value as a file holds it, in one form for all readers: 64-bit integers, timestamps (in the column's unit) and decimals
 * (unscaled) are bigint, dates are days since 1970, bytes and UUIDs are hexadecimal text, maps are `Map`.
 */
export type Stored =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Stored[]
  | ReadonlyMap<string, Stored>
  | { readonly [field: string]: Stored }

export type StoredRow = Readonly<Record<string, Stored>>

/** How one reader shows values: what it makes of lists, maps, structs and everything else. Null and undefined are null. */
export interface Form {
  items(list: unknown): readonly unknown[]
  entries(map: unknown): readonly (readonly [string, unknown])[]
  field(struct: unknown, name: string): unknown
  scalar(value: unknown, type: ColumnType): Stored
}

/** Rows as a reader shows them → as the file holds them. */
export function storedRows(rows: readonly Row[], columns: readonly Column[], form: Form): StoredRow[] {
  return rows.map((row) => struct(row, columns, { ...form, field: (_, name) => row[name] }, form))
}

function struct(value: unknown, fields: readonly Column[], top: Form, form: Form): StoredRow {
  return Object.fromEntries(fields.map(({ name, type }) => [name, stored(top.field(value, name), type, form)]))
}

function stored(value: unknown, type: ColumnType, form: Form): Stored {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'list':
      return form.items(value).map((item) => stored(item, type.element.type, form))
    case 'map':
      return new Map(form.entries(value).map(([key, item]) => [key, stored(item, type.value.type, form)]))
    case 'struct':
      return struct(value, type.fields, form, form)
    default:
      return form.scalar(value, type)
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Big-endian two's complement, as Parquet keeps decimals in bytes → the number. */
export function signedOf(bytes: Uint8Array): bigint {
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex(bytes)}`))
}

/** A stored value in JSON, where what a number of JSON's cannot be relied on to hold is text. */
export function jsonOf(value: Stored, type: ColumnType): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'list':
      return (value as readonly Stored[]).map((item) => jsonOf(item, type.element.type))
    case 'map':
      return [...(value as ReadonlyMap<string, Stored>)].map(([key, item]) => [key, jsonOf(item, type.value.type)])
    case 'struct': {
      const fields = value as Readonly<Record<string, Stored>>
      return Object.fromEntries(
        type.fields.map((field) => [field.name, jsonOf(fields[field.name] ?? null, field.type)]),
      )
    }
    case 'float':
    case 'double':
      return Object.is(value, -0) ? '-0.0' : String(value)
    default:
      return typeof value === 'bigint' ? String(value) : value
  }
}
