import * as z from 'zod'
import { BIGINT, NoCommonColumnError, uniteColumns } from './column-union.ts'
import { type Column, type ColumnType, TIMESTAMP } from './columns.ts'
import { PipelineDefinitionError } from './errors.ts'
import { withAliases } from './field-aliases.ts'

/**
 * The columns of a row contract, in the order of its fields. Text is stored as text, whatever its format, unless
 * `.meta({ column: … })` asks for `date`, `timestamp`, `timestamp_ms`, `local_timestamp`, `uuid`, `decimal(p,s)` or `binary`.
 * `.meta({ alias: 'oldName' })`, or `aliases: […]`, says that a field was called otherwise before (see `lockFor`).
 * @throws PipelineDefinitionError naming the first field whose type a Parquet column cannot hold.
 */
export function columnsOf(row: z.ZodObject): readonly Column[] {
  const columns = fieldsOf(row, '', [row])
  for (const { name } of columns) {
    if (name.startsWith('_'))
      throw new PipelineDefinitionError(`row.${name}: names that begin with "_" are kept for Inlet's own columns`)
  }
  return columns
}

type Ancestors = readonly z.core.$ZodType[]

function fieldsOf(object: z.ZodObject, path: string, within: Ancestors): readonly Column[] {
  const { catchall } = object._zod.def
  if (catchall !== undefined && catchall._zod.def.type !== 'never')
    throw unsupported(
      path,
      'it takes fields that it does not name, for which there are no columns; z.record() is a map',
    )
  const names = new Map<string, string>()
  const fields = Object.entries(object.shape).map(([name, schema]) => {
    const field = path === '' ? name : `${path}.${name}`
    const twin = names.get(name.toLowerCase())
    // Athena, Glue and Spark fold case: two such columns could not be told apart.
    if (twin !== undefined) throw unsupported(field, `differs from "${twin}" only in case, which query engines ignore`)
    if (name === '') throw unsupported(field, 'a column needs a name')
    if (name in Object.prototype) throw unsupported(field, 'every JavaScript object has something of that name')
    names.set(name.toLowerCase(), name)
    return columnOf(name, schema as z.core.$ZodType, field, within)
  })
  if (fields.length === 0) throw unsupported(path, 'an object without fields has no columns')
  return withAliases(fields, object.shape, (name, reason) =>
    unsupported(path === '' ? name : `${path}.${name}`, reason),
  )
}

function columnOf(name: string, schema: z.core.$ZodType, path: string, within: Ancestors): Column {
  if (within.includes(schema)) throw unsupported(path, 'it contains itself, and a table has no end of columns')
  const inside = [...within, schema]
  const declared = declaredForm(schema, path)
  if (declared !== undefined) return { name, ...declared }
  const def = (schema as z.core.$ZodTypes)._zod.def
  switch (def.type) {
    case 'nullable':
    case 'optional':
      return { ...columnOf(name, def.innerType, path, inside), nullable: true }
    case 'default':
    case 'prefault':
    case 'nonoptional':
      // What is missing has a value by then; what is null stays null.
      return withoutOptional(name, def.innerType, path, inside)
    case 'catch': // replaces what is refused: an optional value that is missing stays so
    case 'readonly':
      return columnOf(name, def.innerType, path, inside)
    case 'pipe':
      return columnOf(name, def.out, path, inside)
    case 'union':
      return unionOf(name, def.options, path, inside)
    default:
      return { name, type: typeOf(def, schema, path, inside), nullable: false }
  }
}

function withoutOptional(name: string, schema: z.core.$ZodType, path: string, within: Ancestors): Column {
  const def = (schema as z.core.$ZodTypes)._zod.def
  return columnOf(name, def.type === 'optional' ? def.innerType : schema, path, within)
}

/** One column for all options (see `uniteColumns`); the option null makes it nullable. */
function unionOf(name: string, options: readonly z.core.$ZodType[], path: string, within: Ancestors): Column {
  const isNull = (option: z.core.$ZodType): boolean =>
    ['null', 'undefined'].includes((option as z.core.$ZodTypes)._zod.def.type)
  const columns = options.filter((option) => !isNull(option)).map((option) => columnOf(name, option, path, within))
  if (columns.length === 0) throw unsupported(path, 'a column of nothing but null has no type')
  try {
    const united = columns.reduce((a, b) => uniteColumns(a, b))
    return options.some(isNull) ? { ...united, nullable: true } : united
  } catch (error) {
    if (error instanceof NoCommonColumnError) throw unsupported(`${path}${error.path}`, error.message)
    throw error
  }
}

function typeOf(
  def: z.core.$ZodTypes['_zod']['def'],
  schema: z.core.$ZodType,
  path: string,
  within: Ancestors,
): ColumnType {
  switch (def.type) {
    case 'string':
    case 'template_literal':
      return { kind: 'string' }
    case 'boolean':
      return { kind: 'boolean' }
    case 'date':
      return TIMESTAMP
    case 'bigint':
      if (fitsInt64(schema)) return BIGINT
      throw unsupported(path, 'a bigint that is not within 64 bits; z.int64() fits a column')
    case 'number':
      return numberType(schema)
    case 'enum':
      return sameType(z.util.getEnumValues(def.entries), path)
    case 'literal':
      return sameType(def.values, path)
    case 'array':
      return { kind: 'list', element: columnOf('element', def.element, `${path}[]`, within) }
    case 'record':
    case 'map':
      return { kind: 'map', value: mapValue(def.keyType, def.valueType, path, within) }
    case 'object':
      return { kind: 'struct', fields: fieldsOf(schema as z.ZodObject, path, within) }
    case 'custom':
      throw unsupported(path, 'a custom check says nothing of the type; for bytes add .meta({ column: "binary" })')
    default:
      throw unsupported(path, `a Parquet column cannot hold zod's "${def.type}"`)
  }
}

function mapValue(keys: z.core.$ZodType, values: z.core.$ZodType, path: string, within: Ancestors): Column {
  const key = columnOf('key', keys, `${path}{key}`, within)
  if (key.type.kind !== 'string' || key.nullable) throw unsupported(path, 'the keys of a map column are strings')
  return columnOf('value', values, `${path}{}`, within)
}

/** `z.int32()` is INT32, other integers INT64, `z.float32()` FLOAT, any other number DOUBLE. */
function numberType(schema: z.core.$ZodType): ColumnType {
  const formats = formatsOf(schema)
  if (formats.has('int32')) return { kind: 'int32' }
  if (formats.has('safeint') || formats.has('uint32')) return { kind: 'int64' }
  return { kind: formats.has('float32') ? 'float' : 'double' }
}

/** `z.int64()`, or bounds that lie within it. */
function fitsInt64(schema: z.core.$ZodType): boolean {
  const bounded = (check: string, format: string): boolean =>
    checksOf(schema).some((def) => {
      if (def.check !== check) return def.format === 'int64' || def.format === format
      return typeof def.value === 'bigint' && BigInt.asIntN(64, def.value) === def.value
    })
  return bounded('greater_than', 'uint64') && bounded('less_than', 'int64')
}

interface Check {
  readonly check?: string
  readonly format?: string
  readonly value?: unknown
}

function checksOf(schema: z.core.$ZodType): readonly Check[] {
  const { def } = schema._zod
  return [def, ...(def.checks ?? []).map((check) => check._zod.def)] as readonly Check[]
}

function formatsOf(schema: z.core.$ZodType): Set<string | undefined> {
  return new Set(checksOf(schema).map(({ format }) => format))
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

/** Which zod types a declared form can be made of, and the column it makes. */
const FORMS: Readonly<Record<string, { readonly of: readonly string[]; readonly type: ColumnType }>> = {
  date: { of: ['string'], type: { kind: 'date' } },
  timestamp: { of: ['date', 'string'], type: TIMESTAMP },
  timestamp_ms: { of: ['date', 'string'], type: { kind: 'timestamp', unit: 'ms', utc: true } },
  local_timestamp: { of: ['string'], type: { kind: 'timestamp', unit: 'us', utc: false } },
  uuid: { of: ['string'], type: { kind: 'uuid' } },
  binary: { of: ['custom', 'string'], type: { kind: 'binary' } },
}
const MAX_PRECISION = 38

function declaredForm(schema: z.core.$ZodType, path: string): Pick<Column, 'type' | 'nullable'> | undefined {
  const form = z.globalRegistry.get(schema)?.['column']
  if (form === undefined) return undefined
  const { base, nullable } = unwrapped(schema)
  const { of, type } = formNamed(form, path)
  if (of.includes(base)) return { type, nullable }
  throw unsupported(path, `column "${String(form)}" is made of zod's ${of.join(' or ')}, not of "${base}"`)
}

function formNamed(form: unknown, path: string): { readonly of: readonly string[]; readonly type: ColumnType } {
  const decimal =
    typeof form === 'string' ? /^decimal\((?<precision>\d+),\s*(?<scale>\d+)\)$/.exec(form)?.groups : undefined
  if (decimal !== undefined) {
    const [precision, scale] = [Number(decimal['precision']), Number(decimal['scale'])]
    if (precision < 1 || precision > MAX_PRECISION || scale > precision)
      throw unsupported(path, `column "${String(form)}": a precision is 1 to ${MAX_PRECISION}, a scale at most that`)
    return { of: ['string'], type: { kind: 'decimal', precision, scale } }
  }
  const named = typeof form === 'string' && Object.hasOwn(FORMS, form) ? FORMS[form] : undefined
  if (named !== undefined) return named
  throw unsupported(
    path,
    `unknown column ${JSON.stringify(form)}; there are ${Object.keys(FORMS).join(', ')}, decimal(p,s)`,
  )
}

/** The zod type below what makes it nullable. */
function unwrapped(schema: z.core.$ZodType): { base: string; nullable: boolean } {
  let def = (schema as z.core.$ZodTypes)._zod.def
  let nullable = false
  while (def.type === 'nullable' || def.type === 'optional') {
    nullable = true
    def = (def.innerType as z.core.$ZodTypes)._zod.def
  }
  return { base: def.type, nullable }
}

function unsupported(path: string, reason: string): PipelineDefinitionError {
  return new PipelineDefinitionError(path === '' ? `row: ${reason}` : `row.${path}: ${reason}`)
}
