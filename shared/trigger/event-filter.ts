import type { FilterPattern, FilterRule, NumericRule, ValuePattern } from '#shared/pipeline/filter-pattern.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'

/**
 * Which records a trigger delivers: those that any of its filters lets through, or all when there is none.
 *
 * A filter only speaks of values of its own kind: one on fields of JSON objects, one on plain text of plain text. A value of
 * the other kind, one that is not UTF-8, and none at all are delivered ("Filtering events from Amazon MSK and self-managed
 * Apache Kafka event sources", the table of message formats). What is text and what JSON, the page does not define: here a
 * value is JSON when it is an object or an array, so that a number or a word in quotes is text.
 */
export function compileFilters(patterns: readonly FilterPattern[]): (record: KafkaRecord) => boolean {
  if (patterns.length === 0) return () => true
  return ({ value: bytes }) => {
    const value = bytes === null ? undefined : readValue(bytes)
    return patterns.some(({ value: pattern }) => {
      if (isRules(pattern)) return typeof value !== 'string' || pattern.some((rule) => matchesRule(rule, value))
      return typeof value !== 'object' || matchesFields(pattern, value)
    })
  }
}

/** A JSON value whose numbers keep their text. */
type Json = string | boolean | null | JsonNumber | readonly Json[] | { readonly [field: string]: Json }

class JsonNumber {
  readonly text: string
  readonly value: number

  constructor(text: string, value: number) {
    this.text = text
    this.value = value
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/** The value as JSON or as text; undefined when it is not UTF-8. */
function readValue(bytes: Uint8Array): string | object | undefined {
  let text: string
  try {
    text = UTF_8.decode(bytes)
  } catch {
    return undefined
  }
  const [first] = text.trimStart()
  if (first !== '{' && first !== '[') return text
  try {
    return JSON.parse(text, keepNumbers) as object
  } catch {
    return text
  }
}

/** @param context what JavaScript gives since ES2026 ("JSON.parse source text access") */
function keepNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new JsonNumber(context?.source ?? String(value), value) : value
}

function isRules(pattern: FilterPattern['value'] | ValuePattern[string]): pattern is readonly FilterRule[] {
  return Array.isArray(pattern)
}

/** All fields must match; in a list of objects, those of one of them. */
function matchesFields(pattern: ValuePattern, value: object): boolean {
  if (Array.isArray(value))
    return value.some((item: Json) => typeof item === 'object' && item !== null && matchesFields(pattern, item))
  return Object.entries(pattern).every(([field, rules]) => {
    if (field === '$or')
      return (rules as readonly ValuePattern[]).some((alternative) => matchesFields(alternative, value))
    const found = Object.hasOwn(value, field) ? (value as Record<string, Json>)[field] : undefined
    if (isRules(rules)) return matchesRules(rules, found)
    const below = typeof found === 'object' && found !== null && !(found instanceof JsonNumber) ? found : {}
    return matchesFields(rules as ValuePattern, below)
  })
}

/** One of the rules must match; of a list, one of the items. Only leaves are there: an object is not, nor is an empty list. */
function matchesRules(rules: readonly FilterRule[], found: Json | undefined): boolean {
  const items: readonly (Json | undefined)[] = Array.isArray(found) ? found : [found]
  const leaves = items.filter(isLeaf)
  return rules.some((rule) => {
    if (typeof rule === 'object' && rule !== null && 'exists' in rule) return rule.exists === leaves.length > 0
    return leaves.some((leaf) => matchesRule(rule, leaf))
  })
}

type Leaf = string | boolean | null | JsonNumber

function isLeaf(value: Json | undefined): value is Leaf {
  return value !== undefined && (typeof value !== 'object' || value === null || value instanceof JsonNumber)
}

function matchesRule(rule: FilterRule, leaf: Leaf): boolean {
  if (typeof rule !== 'object' || rule === null) return isSame(rule, leaf)
  if ('exists' in rule) return rule.exists
  if ('anything-but' in rule) return !listOf(rule['anything-but']).some((value) => isSame(value, leaf))
  if ('numeric' in rule) return leaf instanceof JsonNumber && isInRange(leaf.value, rule.numeric)
  if (typeof leaf !== 'string') return false
  if ('prefix' in rule) return leaf.startsWith(rule.prefix)
  if ('suffix' in rule) return leaf.endsWith(rule.suffix)
  return leaf.toLowerCase() === rule['equals-ignore-case'].toLowerCase()
}

/** Numbers are the same when their texts are: 300 is not 300.0. */
function isSame(expected: string | number | boolean | null, leaf: Leaf): boolean {
  return typeof expected === 'number' ? leaf instanceof JsonNumber && leaf.text === String(expected) : leaf === expected
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}

function isInRange(value: number, [operator, bound, ...rest]: NumericRule): boolean {
  return isOnSide(value, operator, bound) && (rest.length === 0 || isOnSide(value, rest[0], rest[1]))
}

function isOnSide(value: number, operator: NumericRule[0], bound: number): boolean {
  if (operator === '=') return value === bound
  if (operator === '>') return value > bound
  if (operator === '>=') return value >= bound
  return operator === '<' ? value < bound : value <= bound
}
