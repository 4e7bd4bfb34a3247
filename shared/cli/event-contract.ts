import * as z from 'zod'
import { fieldPath } from '#shared/pipeline/field-path.ts'

/** A JSON Schema (draft 2020-12) as far as it is read here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
  readonly type?: string | readonly string[]
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema | boolean
  readonly prefixItems?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

/** One field of what producers promise. */
export interface ContractField {
  /** As `stops[].gate`; null for the value itself. */
  readonly field: string | null
  readonly type: string
  /** What is demanded of it beside its type. */
  readonly rules: readonly string[]
  readonly nullable: boolean
  /** Whether it may be missing. */
  readonly optional: boolean
}

/** What producers have to send, as JSON Schema. */
export function eventSchema(event: z.ZodType): JsonSchema {
  return z.toJSONSchema(event, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod
      // JSON has one kind of number, and text for times.
      if (def.type === 'bigint') jsonSchema.type = 'integer'
      if (def.type === 'date') jsonSchema.type = 'string'
      const iso = isoRule(def as IsoFormat)
      if (iso !== undefined) jsonSchema.$comment = iso
      const hasOwnCheck = (def.checks ?? []).some((check) => check._zod.def.check === 'custom')
      if (def.type === 'custom' || hasOwnCheck) jsonSchema.$comment = 'a check of its own, in code'
    },
  }) as JsonSchema
}

/** What zod keeps of `z.iso.datetime()` and its like. */
interface IsoFormat {
  readonly format?: string
  /** Digits of a second; −1 for none and no seconds either. */
  readonly precision?: number | null
  readonly local?: boolean
  readonly offset?: boolean
}

/** JSON Schema has a pattern for most of these, which nobody can read. */
function isoRule({ format = '', precision = null, local, offset }: IsoFormat): string | undefined {
  if (!['datetime', 'date', 'time', 'duration'].includes(format)) return undefined
  const digits = precision === null ? '' : precision === -1 ? 'to the minute' : `with ${precision} digits of a second`
  const zone = offset ? 'with any offset' : ''
  return [`ISO 8601 ${format}`, digits, zone, local ? 'Z may be left out' : ''].filter((part) => part !== '').join(', ')
}

/** The fields of a contract, those within others behind them, in their order. */
export function contractFields(schema: JsonSchema): ContractField[] {
  const tree = inlined(schema, schema, ['#'])
  const fields = fieldsWithin(tree, [])
  return fields.length > 0 ? fields : [fieldOf(tree, null, false)]
}

/** Definitions in the place of what refers to them, but not within themselves. */
function inlined(schema: JsonSchema, root: JsonSchema, within: readonly string[]): JsonSchema {
  const { $ref } = schema
  if ($ref !== undefined) {
    const name = $ref.slice('#/$defs/'.length)
    const definition = (root['$defs'] as Record<string, JsonSchema> | undefined)?.[name]
    return within.includes($ref) || definition === undefined ? schema : inlined(definition, root, [...within, $ref])
  }
  const parts = Object.entries(schema).map(([keyword, value]) => {
    if (keyword === 'properties')
      return [keyword, mapValues(value as Record<string, JsonSchema>, (part) => inlined(part, root, within))]
    if (Array.isArray(value) && LISTS.has(keyword))
      return [keyword, value.map((part: JsonSchema) => inlined(part, root, within))]
    const isPart = (keyword === 'items' || keyword === 'additionalProperties') && isSchema(value)
    return [keyword, isPart ? inlined(value, root, within) : value]
  })
  return Object.fromEntries(parts) as JsonSchema
}

const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])

function mapValues<T>(record: Readonly<Record<string, T>>, map: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

type Path = readonly string[]

function fieldsWithin(schema: JsonSchema, path: Path): ContractField[] {
  const { core } = withoutNull(schema)
  const required = new Set(core.required)
  const properties = Object.entries(core.properties ?? {}).flatMap(([name, property]) => {
    const within = [...path, nameWithin(path, name)]
    return [fieldOf(property, within, !required.has(name)), ...fieldsWithin(property, within)]
  })
  const inside = [
    ...(isSchema(core.items) ? elementFields(core.items, [...path, '[]']) : []),
    ...(isSchema(core.additionalProperties) ? elementFields(core.additionalProperties, [...path, '{}']) : []),
    ...variantsOf(core).flatMap((variant, i) => fieldsWithin(variant, [...path, ` (case ${i + 1})`])),
    ...(core.allOf ?? []).flatMap((part) => fieldsWithin(part, path)),
  ]
  return [...properties, ...inside]
}

/** The elements of a list or a map have a line of their own when there is more to say of them than their type. */
function elementFields(schema: JsonSchema, path: Path): ContractField[] {
  const element = fieldOf(schema, path, false)
  const own = element.rules.length > 0 || element.nullable ? [element] : []
  return [...own, ...fieldsWithin(schema, path)]
}

/** `name`, `.name`, or `["na me"]`: as messages about records write it. */
function nameWithin(path: Path, name: string): string {
  return path.length === 0 ? (fieldPath([name]) ?? name) : (fieldPath(['x', name]) ?? name).slice(1)
}

function fieldOf(schema: JsonSchema, path: Path | null, optional: boolean): ContractField {
  const { core, nullable } = withoutNull(schema)
  return { field: path?.join('').trimStart() ?? null, type: typeOf(core), rules: rulesOf(core), nullable, optional }
}

/** A schema without its case "null", and whether it had one. */
function withoutNull(schema: JsonSchema): { readonly core: JsonSchema; readonly nullable: boolean } {
  const { anyOf, ...rest } = schema
  if (Array.isArray(schema.type) && schema.type.includes('null'))
    return { core: { ...schema, type: schema.type.filter((type) => type !== 'null') }, nullable: true }
  if (anyOf === undefined) return { core: schema, nullable: schema.type === 'null' || isAnything(schema) }
  const cases = anyOf.filter(({ type }) => type !== 'null')
  const [only] = cases
  const core = cases.length === 1 && only !== undefined ? { ...only, ...rest } : { ...rest, anyOf: cases }
  return { core, nullable: cases.length < anyOf.length }
}

function isAnything(schema: JsonSchema): boolean {
  return typeOf(schema) === 'anything'
}

function variantsOf({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] {
  return oneOf ?? anyOf ?? []
}

function typeOf(schema: JsonSchema): string {
  const { type, $ref, items, prefixItems, additionalProperties, allOf } = schema
  if ($ref !== undefined) return $ref === '#' ? 'the event itself' : 'itself again'
  const variants = variantsOf(schema)
  if (variants.length > 0) return [...new Set(variants.map((variant) => typeOf(withoutNull(variant).core)))].join(' | ')
  if (allOf !== undefined) return [...new Set(allOf.map(typeOf))].join(' & ')
  if (prefixItems !== undefined) return `[${prefixItems.map(typeOf).join(', ')}]`
  if (type === 'array') return `array of ${isSchema(items) ? typeOf(withoutNull(items).core) : 'anything'}`
  if (type === 'object' && isSchema(additionalProperties))
    return `map of ${typeOf(withoutNull(additionalProperties).core)}`
  if (type === undefined) return 'not' in schema ? 'nothing' : 'anything'
  return typeof type === 'string' ? type : type.join(' | ')
}

const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const
const FLOAT_MAX = 3.4028234663852886e38
const SAFE = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const

function rulesOf(schema: JsonSchema): string[] {
  const { format, pattern, sensitive, $comment } = schema
  const isIso = typeof $comment === 'string' && $comment.startsWith('ISO 8601')
  const rules = [
    ...(isIso ? [$comment] : []),
    ...('const' in schema ? [JSON.stringify(schema['const'])] : []),
    ...(Array.isArray(schema['enum']) ? [schema['enum'].map((value) => JSON.stringify(value)).join(' | ')] : []),
    ...(typeof format === 'string' && !isIso ? [format] : []),
    // The pattern of a format says nothing that its name does not.
    ...(typeof pattern === 'string' && format === undefined && !isIso ? [`/${pattern}/`] : []),
    ...boundsOf(schema, 'minLength', 'maxLength', 'characters'),
    ...boundsOf(schema, 'minItems', 'maxItems', 'items'),
    ...numberBounds(schema),
    ...('multipleOf' in schema ? [`a multiple of ${String(schema['multipleOf'])}`] : []),
    ...('default' in schema ? [`${JSON.stringify(schema['default'])} when it is missing`] : []),
    ...(schema.additionalProperties === false ? ['no other keys'] : []),
    ...(sensitive === true ? ['sensitive'] : []),
    ...(typeof $comment === 'string' && !isIso ? [$comment] : []),
  ]
  const within = variantsOf(schema).flatMap((variant) => rulesOf(withoutNull(variant).core))
  return [...new Set([...rules, ...within])]
}

/** `3 characters`, `2 to 5 characters`, `at least 1 items`. */
function boundsOf(schema: JsonSchema, least: string, most: string, unit: string): string[] {
  const [from, to] = [schema[least], schema[most]]
  if (from === undefined && to === undefined) return []
  if (from === to) return [`${String(from)} ${unit}`]
  if (to === undefined) return [`at least ${String(from)} ${unit}`]
  return [from === undefined ? `at most ${String(to)} ${unit}` : `${String(from)} to ${String(to)} ${unit}`]
}

/** The bounds that were asked for; those of 32-bit and of exact integers have names, those of floating point say nothing. */
function numberBounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string[] {
  const own = (bound: unknown, usual: readonly number[]): boolean =>
    bound !== undefined && !usual.includes(bound as number)
  const limits = [...INT32, ...SAFE, -FLOAT_MAX, FLOAT_MAX, -Number.MAX_VALUE, Number.MAX_VALUE]
  const isInt32 = maximum === INT32[1] || minimum === INT32[0]
  return [
    ...(isInt32 ? ['32 bits'] : []),
    ...(own(minimum, limits) ? [`≥ ${String(minimum)}`] : []),
    ...(own(exclusiveMinimum, limits) ? [`> ${String(exclusiveMinimum)}`] : []),
    ...(own(maximum, limits) ? [`≤ ${String(maximum)}`] : []),
    ...(own(exclusiveMaximum, limits) ? [`< ${String(exclusiveMaximum)}`] : []),
  ]
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}
