import * as z from 'zod'
import type { Column } from './columns.ts'

/**
 * The fields of an object with the names that `.meta({ alias: 'oldName' })`, or `aliases: […]`, says they had before.
 * @param shape the object's schemas, by field
 * @param fault the error for a field
 * @throws what `fault` makes, for an alias that is no name, or that is not the field's alone
 */
export function withAliases(
  fields: readonly Column[],
  shape: Readonly<Record<string, z.core.$ZodType>>,
  fault: (field: string, reason: string) => Error,
): readonly Column[] {
  const owners = new Map<string, string>()
  return fields.map((field) => {
    const { name } = field
    const schema = shape[name]
    const aliases = schema === undefined ? [] : declaredAliases(schema)
    if (aliases.length === 0) return field
    for (const alias of aliases) {
      if (typeof alias !== 'string' || alias === '')
        throw fault(name, `an alias is the name that the field had before, not ${JSON.stringify(alias)}`)
      const owner = owners.get(alias)
      if (owner !== undefined) throw fault(name, `"${owner}" has the alias "${alias}" too`)
      if (fields.some((other) => other.name === alias))
        throw fault(
          name,
          `the alias "${alias}" is the name of a field; once the lock file knows of a renaming, its alias is not needed any more`,
        )
      owners.set(alias, name)
    }
    return { ...field, aliases: aliases as string[] }
  })
}

/** Those of a schema and of what is within its wrappers: `.nullable()` makes another schema, without what was said before. */
function declaredAliases(schema: z.core.$ZodType): unknown[] {
  const { alias, aliases } = z.globalRegistry.get(schema) ?? {}
  const own: unknown[] = [alias, aliases].flat().filter((name: unknown) => name !== undefined)
  const inner = wrapped(schema)
  return inner === undefined ? own : [...new Set([...own, ...declaredAliases(inner)])]
}

function wrapped(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'nullable':
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'catch':
    case 'readonly':
      return def.innerType
    case 'pipe':
      return def.out
    default:
      return undefined
  }
}
