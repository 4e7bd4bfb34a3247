import type * as z from 'zod'
import { fieldPath } from './field-path.ts'
import { accept, reject, type RejectionCode, type Step } from './outcome.ts'

/** A contract's check: the value as the schema makes it, or a rejection that names the first field at fault. */
export function compileContract<Schema extends z.ZodType>(
  schema: Schema,
  code: RejectionCode,
): (value: unknown) => Step<z.output<Schema>> {
  return (value) => {
    const result = schema.safeParse(value)
    if (result.success) return accept(result.data)
    const [first, ...others] = result.error.issues
    if (first === undefined) return reject(code, null, 'refused by the contract without a reason')
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`
    return reject(code, fieldPath(first.path), `${first.message}${more}`)
  }
}
