import * as z from 'zod'
import { fieldPath } from './field-path.ts'
import { shortened, thrownText } from './message.ts'
import { accept, type Rejection, type RejectionCode, reject, type Step } from './outcome.ts'
import { disclosureOf, holdsSensitive } from './sensitive.ts'

const MAX_MESSAGE = 300
const MAX_VALUE = 40

export interface ContractOptions {
  /** The values come from others that may be sensitive, so that no message tells anything of them. */
  readonly quiet?: boolean
}

/**
 * A contract's check: the value as the schema makes it, or a rejection that names the first field at fault, what was
 * expected and, shortened, what was found; never what may be sensitive. It does not throw: what a refinement or a
 * transform of the contract throws is a fault of the value.
 */
export function compileContract<Schema extends z.ZodType>(
  schema: Schema,
  code: RejectionCode,
  { quiet = false }: ContractOptions = {},
): (value: unknown) => Step<z.output<Schema>> {
  const hasSecrets = quiet || holdsSensitive(schema)
  const explain = (value: unknown, issue: z.core.$ZodIssue): Pick<Rejection, 'field' | 'message'> => {
    if (!hasSecrets) return { field: fieldPath(issue.path), message: messageOf(issue) + foundAt(value, issue.path) }
    const open = disclosureOf(schema, issue.path)
    const field = fieldPath(open.path)
    if (quiet || !open.value || QUOTING.has(issue.code)) return { field, message: discreetMessage(issue) }
    return { field, message: messageOf(issue) + foundAt(value, issue.path) }
  }
  // Generated once. What it cannot express, and the words for what is wrong, are left to the schema as it is.
  const compiled = z.compile(schema)
  return (value) => {
    let result: z.ZodSafeParseResult<z.output<Schema>>
    try {
      result = compiled.safeParse(value)
    } catch (error) {
      return reject(code, null, `the contract threw ${thrownText(error, hasSecrets)}`)
    }
    if (result.success) return accept(result.data)
    const [first, ...others] = result.error.issues
    if (first === undefined) return reject(code, null, 'refused by the contract without a reason')
    const { field, message } = explain(value, first)
    return reject(code, field, others.length === 0 ? message : `${message} (and ${others.length} more)`)
  }
}

/** Issues whose messages may quote any part of the value: the owner's own, and those that list keys. */
const QUOTING: ReadonlySet<string> = new Set(['custom', 'unrecognized_keys'])

function messageOf(issue: z.core.$ZodIssue): string {
  return shortened(issue.message, MAX_MESSAGE).toWellFormed()
}

/** What was expected, in words that no part of the value has a share in: an owner's message may quote it. */
function discreetMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `Invalid input: expected ${issue.expected}`
  return `Invalid input (${issue.code === 'invalid_format' ? issue.format : issue.code})`
}

/** What lies at a path, as `, found "abc"`; objects and arrays are not told: they may be large. */
function foundAt(value: unknown, path: readonly PropertyKey[]): string {
  const found = path.reduce<unknown>((part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key], value)
  switch (typeof found) {
    case 'string':
      return `, found ${JSON.stringify(shortened(found, MAX_VALUE))}`
    case 'number':
    case 'bigint':
    case 'boolean':
      return `, found ${shortened(String(found), MAX_VALUE)}`
    default:
      return ''
  }
}
