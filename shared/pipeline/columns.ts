/** What one value of a column is, in the terms that Parquet and Iceberg share. */
export type ColumnType =
  | { readonly kind: 'string' | 'binary' | 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'uuid' }
  /** Days since 1970-01-01. */
  | { readonly kind: 'date' }
  /** Since 1970-01-01T00:00:00, of UTC (Iceberg `timestamptz`) or of a clock whose place is not known (`timestamp`). */
  | { readonly kind: 'timestamp'; readonly unit: 'us' | 'ms'; readonly utc: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly element: Column }
  /** Keys are strings; `keyId` is their field id. */
  | { readonly kind: 'map'; readonly value: Column; readonly keyId?: number }
  | { readonly kind: 'struct'; readonly fields: readonly Column[] }

/** A column of a table, or a field within one. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** Whether null (or a missing value) is allowed. */
  readonly nullable: boolean
  /** Its field id, in a table that has a lock (see `table-lock.ts`). */
  readonly id?: number
  /** What it was called before; see `lockFor`. */
  readonly aliases?: readonly string[]
}

/** An instant to the microsecond: the only timestamp that Iceberg's version 2 knows. */
export const TIMESTAMP: ColumnType = { kind: 'timestamp', unit: 'us', utc: true }

/** Columns that every table carries, so that each row can be traced to its record. Cheap: they compress to almost nothing. */
export const AUDIT_COLUMNS: readonly Column[] = [
  { name: '_epoch', type: { kind: 'int32' }, nullable: false },
  { name: '_kafka_partition', type: { kind: 'int32' }, nullable: false },
  { name: '_offset', type: { kind: 'int64' }, nullable: false },
  { name: '_index', type: { kind: 'int32' }, nullable: false },
  { name: '_timestamp', type: TIMESTAMP, nullable: false },
]

const HEADER: ColumnType = {
  kind: 'struct',
  fields: [
    { name: 'name', type: { kind: 'string' }, nullable: false },
    { name: 'value', type: { kind: 'binary' }, nullable: false },
  ],
}

/** A record's headers in their order; names may repeat. */
export const HEADERS: ColumnType = { kind: 'list', element: { name: 'element', type: HEADER, nullable: false } }

/** Parts of a Kafka record that a table may keep as columns, beside the audit columns that it always has. */
export const RECORD_COLUMNS = {
  key: { name: '_key', type: { kind: 'binary' }, nullable: true },
  headers: { name: '_headers', type: HEADERS, nullable: false },
  timestampType: { name: '_timestamp_type', type: { kind: 'string' }, nullable: false },
} as const satisfies Record<string, Column>

export type RecordPart = keyof typeof RECORD_COLUMNS

/** `decimal(10,2)`, `list<string>`, `struct<a: int64, b: string>`: a type as people read it. */
export function typeName(type: ColumnType): string {
  switch (type.kind) {
    case 'timestamp':
      return `${type.utc ? 'timestamp' : 'local_timestamp'}${type.unit === 'ms' ? '_ms' : ''}`
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'list':
      return `list<${typeName(type.element.type)}>`
    case 'map':
      return `map<string, ${typeName(type.value.type)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}: ${typeName(field.type)}`).join(', ')}>`
    default:
      return type.kind
  }
}
