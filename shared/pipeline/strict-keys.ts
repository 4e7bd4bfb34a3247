import * as z from 'zod'
import { rewriteSchema, withDefinition } from './schema-tree.ts'

/** The same contract with every object of it refusing keys that it does not name. Objects with a catchall keep theirs. */
export function strictKeysOf<Schema extends z.core.$ZodType>(schema: Schema): Schema {
  return rewriteSchema(schema, (part) => {
    const { def } = (part as z.core.$ZodTypes)._zod
    return def.type === 'object' && def.catchall === undefined ? withDefinition(part, { catchall: z.never() }) : part
  })
}
