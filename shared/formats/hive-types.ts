import type { ColumnType } from '#shared/pipeline/columns.ts'
import type { PartitionField } from '#shared/pipeline/partition-spec.ts'

/**
 * The type that Glue and Athena know a column of plain files by (Hive's names).
 * @param format JSON has text only for times, dates, UUIDs, decimals and bytes
 */
export function hiveType(type: ColumnType, format: 'parquet' | 'json'): string {
  switch (type.kind) {
    case 'int32':
      return 'int'
    case 'int64':
      return 'bigint'
    case 'uuid':
      return format === 'json' ? 'string' : 'binary'
    case 'binary':
    case 'date':
    case 'timestamp':
      return format === 'json' ? 'string' : type.kind
    case 'decimal':
      return format === 'json' ? 'string' : `decimal(${type.precision},${type.scale})`
    case 'list':
      return `array<${hiveType(type.element.type, format)}>`
    case 'map':
      return `map<string,${hiveType(type.value.type, format)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${structField(field.name)}:${hiveType(field.type, format)}`).join(',')}>`
    default:
      return type.kind
  }
}

/** A name of a struct's field: backquoted unless it is a plain word. */
function structField(name: string): string {
  return /^[a-z][a-z0-9_]*$/i.test(name) ? name.toLowerCase() : `\`${name.toLowerCase().replaceAll('`', '``')}\``
}

/** The type of a partition column, whose values are read from directories. */
export function hivePartitionType({ transform, source }: PartitionField): string {
  if (transform.startsWith('bucket')) return 'int'
  const isValue = transform === 'identity' || transform.startsWith('truncate')
  return !isValue || ['timestamp', 'uuid', 'binary'].includes(source.kind) ? 'string' : hiveType(source, 'parquet')
}
