/** JSON has one kind of number; a contract with `z.int64()` wants some of them as bigint, exact beyond 2^53. */
import * as z from 'zod'
import { rewriteSchema, someSchema } from './schema-tree.ts'

/** Whether a contract wants bigint anywhere: its events are decoded with integers beyond ±(2^53 − 1) as bigint. */
export function hasBigints(schema: z.core.$ZodType): boolean {
  return someSchema(schema, (part) => definitionOf(part).type === 'bigint')
}

/**
 * The same contract for values in which only integers beyond ±(2^53 − 1) are bigint: where it wants bigint it takes other
 * integers too, and where it wants a number it takes the double nearest to a bigint, as it would without any bigint around.
 * What is no integer stays, for the contract to refuse.
 */
export function exactIntegersOf<Schema extends z.core.$ZodType>(schema: Schema): Schema {
  return rewriteSchema(schema, (part) => {
    const { type } = definitionOf(part)
    if (type !== 'bigint' && type !== 'number') return part
    return z.pipe(z.transform(type === 'bigint' ? toBigint : toNumber), part)
  })
}

function definitionOf(schema: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] {
  return (schema as z.core.$ZodTypes)._zod.def
}

function toBigint(value: unknown): unknown {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

function toNumber(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
