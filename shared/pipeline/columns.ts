import type * as z from 'zod'
import { PipelineDefinitionError } from './errors.ts'

/** What one value of a column is, in the terms that Parquet and Iceberg share. */
export type ColumnType =
  | { readonly kind: 'string' | 'binary' | 'boolean' | 'int32' | 'int64' | 'float' | 'double' }
  /** Microseconds since 1970-01-01T00:00:00Z (Iceberg `timestamptz`); a `Date` in rows. */
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'list'; readonly element: Column }
  | { readonly kind: 'struct'; readonly fields: readonly Column[] }

/** A column of a table, or a field within one. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** Whether null (or a missing value) is allowed. */
  readonly nullable: boolean
}

/** Columns that every table carries, so that each row can be traced to its record. Cheap: they compress to almost nothing. */
export const AUDIT_COLUMNS: readonly Column[] = [
  { name: '_epoch', type: { kind: 'int32' }, nullable: false },
  { name: '_partition', type: { kind: 'int32' }, nullable: false },
  { name: '_offset', type: { kind: 'int64' }, nullable: false },
  { name: '_index', type: { kind: 'int32' }, nullable: false },
  { name: '_timestamp', type: { kind: 'timestamp' }, nullable: false },
]

/**
 * The columns of a row contract, in the order of its fields.
 * @throws PipelineDefinitionError naming the first field whose type a Parquet column cannot hold.
 */
export function columnsOf(row: z.ZodObject): readonly Column[] {
  const columns = fieldsOf(row, '')
  for (const { name } of columns) {
    if (name.startsWith('_'))
      throw new PipelineDefinitionError(`row.${name}: names that begin with "_" are kept for Inlet's own columns`)
  }
  return columns
}

function fieldsOf(object: z.ZodObject, path: string): readonly Column[] {
  const names = new Map<string, string>()
  const fields = Object.entries(object.shape).map(([name, schema]) => {
    const field = path === '' ? name : `${path}.${name}`
    const twin = names.get(name.toLowerCase())
    // Athena, Glue and Spark fold case: two such columns could not be told apart.
    if (twin !== undefined) throw unsupported(field, `differs from "${twin}" only in case, which query engines ignore`)
    if (name === '') throw unsupported(field, 'a column needs a name')
    names.set(name.toLowerCase(), name)
    return columnOf(name, schema as z.core.$ZodType, field)
  })
  if (fields.length === 0) throw unsupported(path, 'an object without fields has no columns')
  return fields
}

function columnOf(name: string, schema: z.core.$ZodType, path: string): Column {
  const def = (schema as z.core.$ZodTypes)._zod.def
  switch (def.type) {
    case 'nullable':
    case 'optional':
      return { ...columnOf(name, def.innerType, path), nullable: true }
    case 'default':
    case 'prefault':
    case 'catch':
    case 'nonoptional':
    case 'readonly':
      return columnOf(name, def.innerType, path)
    case 'pipe':
      return columnOf(name, def.out, path)
    default:
      return { name, type: typeOf(def, schema, path), nullable: false }
  }
}

function typeOf(def: z.core.$ZodTypes['_zod']['def'], schema: z.core.$ZodType, path: string): ColumnType {
  switch (def.type) {
    case 'string':
    case 'template_literal':
      return { kind: 'string' }
    case 'boolean':
      return { kind: 'boolean' }
    case 'date':
      return { kind: 'timestamp' }
    case 'bigint':
      return { kind: 'int64' }
    case 'number':
      return numberType(schema)
    case 'enum':
      return sameType(Object.values(def.entries), path)
    case 'literal':
      return sameType(def.values, path)
    case 'array': {
      const element = columnOf('element', def.element, `${path}[]`)
      return { kind: 'list', element }
    }
    case 'object':
      return { kind: 'struct', fields: fieldsOf(schema as z.ZodObject, path) }
    default:
      throw unsupported(path, `a Parquet column cannot hold zod's "${def.type}"`)
  }
}

/** `z.int32()` is INT32, other integers INT64, `z.float32()` FLOAT, any other number DOUBLE. */
function numberType(schema: z.core.$ZodType): ColumnType {
  const { def } = (schema as z.ZodNumber)._zod
  const checks = [def, ...(def.checks ?? []).map((check) => check._zod.def)] as { format?: string }[]
  const formats = new Set(checks.map((check) => check.format))
  if (formats.has('int32')) return { kind: 'int32' }
  if (formats.has('safeint') || formats.has('uint32')) return { kind: 'int64' }
  return { kind: formats.has('float32') ? 'float' : 'double' }
}

/** An enum or a literal is a column when all its values are of one type. */
function sameType(values: readonly unknown[], path: string): ColumnType {
  const kinds = new Set(values.map((value) => typeof value))
  if (kinds.size === 1) {
    if (kinds.has('string')) return { kind: 'string' }
    if (kinds.has('boolean')) return { kind: 'boolean' }
    if (kinds.has('number')) return { kind: values.every(Number.isSafeInteger) ? 'int64' : 'double' }
  }
  throw unsupported(
    path,
    `its values are not all strings, all numbers or all booleans: ${values.map(String).join(', ')}`,
  )
}

function unsupported(path: string, reason: string): PipelineDefinitionError {
  return new PipelineDefinitionError(path === '' ? `row: ${reason}` : `row.${path}: ${reason}`)
}
