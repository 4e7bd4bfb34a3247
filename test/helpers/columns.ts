import type { Column, ColumnType } from '#shared/pipeline/columns.ts'

type Simple = 'string' | 'binary' | 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'uuid' | 'date'

export const typed = (type: Simple | ColumnType): ColumnType => (typeof type === 'string' ? { kind: type } : type)

/** A column that allows null. */
export const maybe = (name: string, type: Simple | ColumnType): Column => ({ name, type: typed(type), nullable: true })
/** A column that does not. */
export const always = (name: string, type: Simple | ColumnType): Column => ({
  name,
  type: typed(type),
  nullable: false,
})

export const listOf = (column: typeof maybe, type: Simple | ColumnType): ColumnType => {
  return { kind: 'list', element: column('element', type) }
}
export const mapOf = (column: typeof maybe, type: Simple | ColumnType): ColumnType => {
  return { kind: 'map', value: column('value', type) }
}
export const structOf = (...fields: Column[]): ColumnType => ({ kind: 'struct', fields })
export const decimal = (precision: number, scale: number): ColumnType => ({ kind: 'decimal', precision, scale })
export const timestamp = (unit: 'us' | 'ms', utc: boolean): ColumnType => ({ kind: 'timestamp', unit, utc })
