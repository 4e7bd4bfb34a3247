import type { ColumnType } from '#shared/pipeline/columns.ts'
import type { Form, Stored } from './stored.ts'

/** How test/integration/iceberg-spark.py sends Spark's values. */
export const SPARK_FORM: Form = {
  items: (list) => list as readonly unknown[],
  entries: (map) => map as readonly (readonly [string, unknown])[],
  field: (struct, name) => (struct as Readonly<Record<string, unknown>>)[name],
  scalar: scalarOf,
}

function scalarOf(value: unknown, type: ColumnType): Stored {
  switch (type.kind) {
    case 'int64':
    case 'timestamp':
    case 'decimal':
      return BigInt(value as string)
    case 'float':
    case 'double':
      return Number(value)
    case 'uuid':
      return (value as string).replaceAll('-', '')
    default:
      return value as Stored
  }
}

/** SQL of Spark's for whether a column has a stored value. */
export function sparkCondition(column: string, type: ColumnType, value: Stored): string {
  return value === null ? `${sparkName(column)} IS NULL` : `${sparkName(column)} = ${literal(type, value)}`
}

export const sparkName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

/** Spark folds the casts of constants before it pushes a filter down to the table. */
function literal(type: ColumnType, value: Stored): string {
  const text = String(value)
  switch (type.kind) {
    case 'string':
      return `CAST(X'${Buffer.from(text).toString('hex')}' AS STRING)`
    case 'binary':
      return `X'${text}'`
    case 'date':
      return `date_from_unix_date(${text})`
    case 'timestamp':
      return type.utc ? micros(text) : `CAST(${micros(text)} AS TIMESTAMP_NTZ)`
    case 'decimal':
      return `CAST('${text}E-${type.scale}' AS DECIMAL(${type.precision}, ${type.scale}))`
    case 'uuid':
      return `'${text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}'`
    case 'float':
    case 'double':
      return `CAST('${Object.is(value, -0) ? '-0' : text}' AS ${type.kind})`
    default:
      return `CAST('${text}' AS ${SQL_TYPES[type.kind] ?? ''})`
  }
}

const micros = (text: string): string => `timestamp_micros(CAST('${text}' AS BIGINT))`
const SQL_TYPES: Readonly<Record<string, string>> = { int32: 'INT', int64: 'BIGINT', boolean: 'BOOLEAN' }
