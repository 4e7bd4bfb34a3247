/** Fields that are marked `.meta({ sensitive: true })` never show in messages, nor does anything that may hold one. */
import * as z from 'zod'
import { partsOf, someSchema } from './schema-tree.ts'

type Schema = z.core.$ZodType

/** Whether a schema, or anything within it, is marked sensitive. */
export function holdsSensitive(schema: Schema): boolean {
  return someSchema(schema, isMarked)
}

/** What messages may tell of a place in a value. */
export interface Disclosure {
  /** The way there as far as it is made of names that the contract has and of indices: other keys are data. */
  readonly path: readonly PropertyKey[]
  /** Whether the value at the place may be told: nothing on the way there or below is sensitive. */
  readonly value: boolean
}

/** How much of a path, and of what lies there, a contract that holds something sensitive allows to be told. */
export function disclosureOf(schema: Schema, path: readonly PropertyKey[]): Disclosure {
  let here = cases([schema])
  for (const [i, key] of path.entries()) {
    if (here.some(isMarked)) return { path: path.slice(0, i), value: false }
    const next = here.flatMap((part) => fieldsAt(part, key))
    if (next.length === 0) return { path: path.slice(0, i), value: false }
    here = cases(next)
  }
  return { path, value: !here.some(holdsSensitive) }
}

function isMarked(schema: Schema): boolean {
  return z.globalRegistry.get(schema)?.['sensitive'] === true
}

/** The schemas that a value may have to meet: these, and what wrappers, unions and pipes of them are made of. */
function cases(schemas: readonly Schema[]): readonly Schema[] {
  const all = new Set<Schema>()
  const add = (schema: Schema): void => {
    if (all.has(schema)) return
    all.add(schema)
    if (!CONTAINERS.has((schema as z.core.$ZodTypes)._zod.def.type)) partsOf(schema).forEach(add)
  }
  schemas.forEach(add)
  return [...all]
}

const CONTAINERS: ReadonlySet<string> = new Set(['object', 'array', 'tuple', 'record', 'map', 'set'])

/** What a key leads to, when it is a name of the contract or an index. */
function fieldsAt(schema: Schema, key: PropertyKey): readonly Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'object') {
    const field = Object.hasOwn(def.shape, key) ? def.shape[String(key)] : undefined
    return field === undefined ? [] : [field]
  }
  return (def.type === 'array' || def.type === 'tuple') && typeof key === 'number' ? partsOf(schema) : []
}
