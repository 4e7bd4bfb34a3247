import type { SchemaElement } from 'hyparquet'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'

/**
 * The schema of a file: the root, then every column depth first (Parquet format, `SchemaElement`). Columns that have field ids
 * carry them, so that Iceberg finds each by its id (specification, Appendix A, "Parquet").
 */
export function parquetSchema(columns: readonly Column[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elementsOf)]
}

function elementsOf({ name, type, nullable, id }: Column): SchemaElement[] {
  const element: SchemaElement = { name, repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED' }
  if (id !== undefined) element.field_id = id
  switch (type.kind) {
    case 'string':
      return [{ ...element, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }]
    case 'binary':
      return [{ ...element, type: 'BYTE_ARRAY' }]
    case 'boolean':
      return [{ ...element, type: 'BOOLEAN' }]
    case 'int32':
      return [{ ...element, type: 'INT32' }]
    case 'int64':
      return [{ ...element, type: 'INT64' }]
    case 'float':
      return [{ ...element, type: 'FLOAT' }]
    case 'double':
      return [{ ...element, type: 'DOUBLE' }]
    case 'date':
      return [{ ...element, type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }]
    case 'uuid':
      return [{ ...element, type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }]
    case 'timestamp':
      return [{ ...element, ...timestampType(type) }]
    case 'decimal':
      return [{ ...element, ...decimalType(type) }]
    case 'list':
      // The three-level form (Parquet format, LogicalTypes.md, "Lists").
      return [
        { ...element, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf(type.element),
      ]
    case 'map':
      return [
        { ...element, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        ...elementsOf(keyOf(type)),
        ...elementsOf({ ...type.value, name: 'value' }),
      ]
    case 'struct':
      return [{ ...element, num_children: type.fields.length }, ...type.fields.flatMap(elementsOf)]
  }
}

/** The keys of a map as a column. */
export function keyOf({ keyId }: ColumnType & { kind: 'map' }): Column {
  const key = { name: 'key', type: { kind: 'string' }, nullable: false } as const
  return keyId === undefined ? key : { ...key, id: keyId }
}

type PhysicalType = Omit<SchemaElement, 'name' | 'repetition_type'>

function timestampType({ unit, utc }: ColumnType & { kind: 'timestamp' }): PhysicalType {
  const logical_type = { type: 'TIMESTAMP', isAdjustedToUTC: utc, unit: unit === 'us' ? 'MICROS' : 'MILLIS' } as const
  const int64: PhysicalType = { type: 'INT64', logical_type }
  // The older annotation means UTC to readers that know no other (Parquet format, LogicalTypes.md, "Timestamp").
  return utc ? { ...int64, converted_type: unit === 'us' ? 'TIMESTAMP_MICROS' : 'TIMESTAMP_MILLIS' } : int64
}

/** The narrowest physical type that holds the precision, as Iceberg demands (specification, "Parquet" data type mappings). */
function decimalType({ precision, scale }: ColumnType & { kind: 'decimal' }): PhysicalType {
  const decimal = { converted_type: 'DECIMAL', precision, scale } as const
  const logical_type = { type: 'DECIMAL', precision, scale } as const
  if (precision <= 9) return { ...decimal, logical_type, type: 'INT32' }
  if (precision <= 18) return { ...decimal, logical_type, type: 'INT64' }
  return { ...decimal, logical_type, type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalBytes(precision) }
}

/** The fewest bytes that hold every decimal of so many digits. */
export function decimalBytes(precision: number): number {
  const bits = Math.ceil(precision * Math.log2(10)) + 1
  return Math.ceil(bits / 8)
}
