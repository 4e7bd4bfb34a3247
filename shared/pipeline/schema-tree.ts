/** Contracts as trees of schemas, which may contain themselves. */
import * as z from 'zod'

type Schema = z.core.$ZodType

const definitionOf = (schema: Schema): z.core.$ZodTypes['_zod']['def'] => (schema as z.core.$ZodTypes)._zod.def

/** The schemas that a schema is made of. */
export function partsOf(schema: Schema): readonly Schema[] {
  const def = definitionOf(schema)
  switch (def.type) {
    case 'object':
      return [...Object.values(def.shape), ...(def.catchall === undefined ? [] : [def.catchall])]
    case 'array':
      return [def.element]
    case 'tuple':
      return [...def.items, ...(def.rest === null ? [] : [def.rest])]
    case 'record':
    case 'map':
      return [def.keyType, def.valueType]
    case 'set':
      return [def.valueType]
    case 'union':
      return def.options
    case 'intersection':
      return [def.left, def.right]
    case 'pipe':
      return [def.in, def.out]
    case 'lazy':
      return [(schema as z.core.$ZodLazy)._zod.innerType]
    case 'nullable':
    case 'optional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'nonoptional':
    case 'readonly':
      return [def.innerType]
    default:
      return []
  }
}

/** Whether a schema, or any that it is made of at whatever depth, is such a one. */
export function someSchema(schema: Schema, test: (schema: Schema) => boolean): boolean {
  const seen = new Set<Schema>()
  const some = (part: Schema): boolean => {
    if (seen.has(part)) return false
    seen.add(part)
    return test(part) || partsOf(part).some(some)
  }
  return some(schema)
}

/**
 * The same contract with some of its schemas changed: each that meets a part of the decoded value. What lies behind the
 * objects of a pipe meets values of the contract's own making, and stays.
 * @param change a schema whose parts are changed already → what stands in its place
 */
export function rewriteSchema<S extends Schema>(schema: S, change: (schema: Schema) => Schema): S {
  // A contract may contain itself, and a part of it may stand in several places.
  const made = new Map<Schema, Schema>()
  const rewrite = (part: Schema): Schema => {
    const before = made.get(part)
    if (before !== undefined) return before
    const after = change(withParts(part, rewrite))
    made.set(part, after)
    return after
  }
  return rewrite(schema) as S
}

function withParts(schema: Schema, part: (schema: Schema) => Schema): Schema {
  const def = definitionOf(schema)
  switch (def.type) {
    case 'object': {
      // Both are read when the first value is checked: by then what they refer back to is made.
      const shape = once(() => mapValues(def.shape, part))
      const object = {
        get shape(): Record<string, Schema> {
          return shape()
        },
      }
      return withDefinition(
        schema,
        def.catchall === undefined ? object : extended(object, { catchall: part(def.catchall) }),
      )
    }
    case 'array':
      return withDefinition(schema, { element: part(def.element) })
    case 'tuple':
      return withDefinition(schema, { items: def.items.map(part), rest: def.rest === null ? null : part(def.rest) })
    case 'record':
    case 'map':
    case 'set':
      return withDefinition(schema, { valueType: part(def.valueType) })
    case 'union':
      return withDefinition(schema, { options: def.options.map(part) })
    case 'intersection':
      return withDefinition(schema, { left: part(def.left), right: part(def.right) })
    case 'pipe':
      return withDefinition(schema, { in: part(def.in), ...(holdsObject(def.in) ? {} : { out: part(def.out) }) })
    case 'lazy':
      return withDefinition(schema, {
        getter: once(() => part((schema as z.core.$ZodLazy)._zod.innerType)),
        _cachedInner: undefined,
      })
    case 'nullable':
    case 'optional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'nonoptional':
    case 'readonly':
      return withDefinition(schema, { innerType: part(def.innerType) })
    default:
      return schema
  }
}

/** A schema of the same kind, with the checks and the metadata of the first. */
export function withDefinition(schema: Schema, changes: object): Schema {
  // A definition may have getters, which a spread would call. (`z.core.clone` would bring all of zod's languages into a bundle.)
  return z.clone(schema, extended(schema._zod.def, changes) as never, { parent: true })
}

function extended(object: object, changes: object): object {
  const [own, changed] = [object, changes].map(Object.getOwnPropertyDescriptors)
  return Object.defineProperties({}, { ...own, ...changed })
}

function holdsObject(schema: Schema): boolean {
  return someSchema(schema, (part) => ['object', 'record', 'map'].includes(definitionOf(part).type))
}

function mapValues(shape: Readonly<Record<string, Schema>>, map: (schema: Schema) => Schema): Record<string, Schema> {
  return Object.fromEntries(Object.entries(shape).map(([key, field]) => [key, map(field)]))
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
