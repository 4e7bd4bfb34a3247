import { onlyKnown } from './declared-options.ts'
import { PipelineDefinitionError } from './errors.ts'

/**
 * The language of Lambda's event filters (AWS Lambda Developer Guide, "Control which events Lambda sends to your function",
 * "Filter rule syntax"). It is EventBridge's, without wildcards, IP addresses and what can stand below `anything-but` there.
 */

/** What one field may be. A number is compared by its text: 300 is not 300.0. */
export type FilterRule =
  | string
  | number
  | boolean
  | null
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly 'equals-ignore-case': string }
  | { readonly 'anything-but': string | number | readonly string[] | readonly number[] }
  /** One comparison, or a range: `['>', 10, '<=', 20]`. */
  | { readonly numeric: NumericRule }
  /** Whether there is such a field and it is no object. */
  | { readonly exists: boolean }

type Lower = '>' | '>='
type Upper = '<' | '<='
export type NumericRule =
  | readonly ['=' | Lower | Upper, number]
  | readonly [lower: Lower, from: number, upper: Upper, to: number]

/** Fields that must all match, each by one of its rules. Below `$or`: patterns of which one must match. */
export interface ValuePattern {
  readonly [field: string]: readonly FilterRule[] | ValuePattern | readonly ValuePattern[]
}

/** A filter on a record's value: on the fields of a JSON object, or on a plain text as a whole. */
export interface FilterPattern {
  readonly value: ValuePattern | readonly FilterRule[]
}

/** Characters of a pattern as JSON (AWS Lambda API Reference, "Filter"). */
const LONGEST_PATTERN = 4096

/** @throws PipelineDefinitionError naming the place in the pattern and what Lambda would take there */
export function checkFilterPattern(pattern: unknown, where: string): asserts pattern is FilterPattern {
  if (!isObject(pattern)) throw fault(where, 'expected { value: … }')
  const other = Object.keys(pattern).find((key) => key !== 'value')
  if (other !== undefined) throw fault(`${where}.${other}`, 'Lambda filters the records of Kafka by their value only')
  const { value } = pattern
  if (Array.isArray(value)) checkRules(value, `${where}.value`)
  else checkFields(value, `${where}.value`)
  if (JSON.stringify(pattern).length > LONGEST_PATTERN)
    throw fault(where, `longer than the ${LONGEST_PATTERN} characters of JSON that Lambda takes`)
}

function checkFields(fields: unknown, where: string): void {
  if (!isObject(fields)) throw fault(where, 'expected an object of fields, or an array of rules')
  const entries = Object.entries(fields)
  if (entries.length === 0) throw fault(where, 'an empty object matches nothing that can be said')
  for (const [field, rules] of entries) {
    const place = `${where}.${field}`
    if (field === '$or') checkAlternatives(rules, place)
    else if (Array.isArray(rules)) checkRules(rules, place)
    else checkFields(rules, place)
  }
}

function checkAlternatives(alternatives: unknown, where: string): void {
  if (!Array.isArray(alternatives) || alternatives.length < 2)
    throw fault(where, 'expected an array of two objects or more')
  for (const [i, fields] of alternatives.entries()) checkFields(fields, `${where}[${i}]`)
}

function checkRules(rules: readonly unknown[], where: string): void {
  if (rules.length === 0) throw fault(where, 'an empty array matches nothing')
  for (const [i, rule] of rules.entries()) checkRule(rule, `${where}[${i}]`)
}

const OPERATORS = ['prefix', 'suffix', 'equals-ignore-case', 'anything-but', 'numeric', 'exists']

function checkRule(rule: unknown, where: string): void {
  if (rule === null || typeof rule === 'string' || typeof rule === 'boolean' || isFinite(rule)) return
  if (!isObject(rule)) throw fault(where, 'expected text, a number, true, false, null or one operator')
  const [operator, another] = Object.keys(rule)
  if (operator === undefined || another !== undefined) throw fault(where, 'expected exactly one operator')
  onlyKnown(rule, OPERATORS, `${where}.`)
  const place = `${where}.${operator}`
  const operand = rule[operator]
  if (operator === 'numeric') checkNumeric(operand, place)
  else if (operator === 'anything-but') checkAnythingBut(operand, place)
  else if (operator === 'exists') {
    if (typeof operand !== 'boolean') throw fault(place, 'expected true or false')
  } else if (typeof operand !== 'string') throw fault(place, 'expected text')
}

function checkAnythingBut(operand: unknown, where: string): void {
  const values: readonly unknown[] = Array.isArray(operand) ? operand : [operand]
  const isText = values.every((value) => typeof value === 'string')
  if (values.length === 0 || !(isText || values.every(isFinite)))
    throw fault(where, 'expected texts, or numbers: Lambda takes no operator here')
}

function checkNumeric(operand: unknown, where: string): void {
  const [first, from, second, to, more] = Array.isArray(operand) ? (operand as unknown[]) : []
  const isOne = second === undefined && ['=', '>', '>=', '<', '<='].includes(String(first)) && isFinite(from)
  if (isOne) return
  const isRange = ['>', '>='].includes(String(first)) && ['<', '<='].includes(String(second)) && more === undefined
  if (!isRange || !isFinite(from) || !isFinite(to) || from >= to)
    throw fault(where, "expected one comparison, ['>=', 10], or a range, ['>', 10, '<=', 20]")
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fault(where: string, what: string): PipelineDefinitionError {
  return new PipelineDefinitionError(`${where}: ${what}`)
}
