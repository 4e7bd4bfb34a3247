import type { Column, ColumnType } from '#shared/pipeline/columns.ts'

/** Parquet's type of a column: the physical type and, behind it, what it means (Parquet format, LogicalTypes.md). */
export function parquetType(type: ColumnType): string {
  switch (type.kind) {
    case 'string':
      return 'BYTE_ARRAY STRING'
    case 'binary':
      return 'BYTE_ARRAY'
    case 'uuid':
      return 'FIXED_LEN_BYTE_ARRAY(16) UUID'
    case 'date':
      return 'INT32 DATE'
    case 'timestamp':
      return `INT64 TIMESTAMP(${type.unit === 'us' ? 'MICROS' : 'MILLIS'}, ${type.utc ? 'UTC' : 'local'})`
    case 'decimal': {
      const { precision, scale } = type
      const physical = precision <= 9 ? 'INT32' : precision <= 18 ? 'INT64' : 'FIXED_LEN_BYTE_ARRAY'
      return `${physical} DECIMAL(${precision},${scale})`
    }
    case 'list':
      return `LIST<${parquetType(type.element.type)}>`
    case 'map':
      return `MAP<BYTE_ARRAY STRING, ${parquetType(type.value.type)}>`
    case 'struct':
      return `group<${type.fields.map((field) => `${field.name}: ${parquetType(field.type)}`).join(', ')}>`
    default:
      return type.kind.toUpperCase()
  }
}

/** Iceberg's type of a column (specification, version 2, "Schemas and Data Types"); null where that version has none. */
export function icebergType(type: ColumnType): string | null {
  switch (type.kind) {
    case 'int32':
      return 'int'
    case 'int64':
      return 'long'
    case 'timestamp':
      // Version 2 knows microseconds only; version 3 adds nanoseconds, and none has milliseconds.
      if (type.unit === 'ms') return null
      return type.utc ? 'timestamptz' : 'timestamp'
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'list': {
      const element = icebergType(type.element.type)
      return element === null ? null : `list<${element}>`
    }
    case 'map': {
      const value = icebergType(type.value.type)
      return value === null ? null : `map<string, ${value}>`
    }
    case 'struct': {
      const fields = type.fields.map((field) => [field.name, icebergType(field.type)] as const)
      if (fields.some(([, field]) => field === null)) return null
      return `struct<${fields.map(([name, field]) => `${name}: ${field}`).join(', ')}>`
    }
    default:
      return type.kind
  }
}

/** DuckDB's type of a column. */
export function duckdbType(type: ColumnType): string {
  switch (type.kind) {
    case 'string':
      return 'VARCHAR'
    case 'binary':
      return 'BLOB'
    case 'int32':
      return 'INTEGER'
    case 'int64':
      return 'BIGINT'
    case 'timestamp':
      return type.utc ? 'TIMESTAMPTZ' : 'TIMESTAMP'
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'list':
      return `${duckdbType(type.element.type)}[]`
    case 'map':
      return `MAP(VARCHAR, ${duckdbType(type.value.type)})`
    case 'struct':
      return `STRUCT(${type.fields.map(structMember).join(', ')})`
    default:
      return type.kind.toUpperCase()
  }
}

function structMember({ name, type }: Column): string {
  return `"${name.replaceAll('"', '""')}" ${duckdbType(type)}`
}

/** What JSON Lines have for a column. */
export function jsonType(type: ColumnType): string {
  switch (type.kind) {
    case 'string':
      return 'text'
    case 'binary':
      return 'text: base64'
    case 'uuid':
    case 'date':
    case 'decimal':
      return `text: ${type.kind}`
    case 'timestamp':
      return `text: ISO 8601${type.utc ? ', UTC' : ''}`
    case 'boolean':
      return 'boolean'
    case 'list':
      return 'array'
    case 'map':
    case 'struct':
      return 'object'
    default:
      return 'number'
  }
}
