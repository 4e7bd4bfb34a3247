/**
 * Strict JSON: what a lake row cannot carry unchanged is refused. `JSON.parse` alone keeps the last of two equal keys,
 * rounds integers, makes Infinity of 1e400 and lets lone surrogates through, all of it silently.
 */
import { isUtf8 } from 'node:buffer'
import { fieldPath } from '#shared/pipeline/field-path.ts'
import { accept, type RejectionCode, reject, type Step } from '#shared/pipeline/outcome.ts'
import { FlatJson } from './flat-json.ts'
import { countKeys, duplicateKey, parseKeysAlone } from './json-keys.ts'

/** Arrays and objects within one another, at the most. */
export const MAX_DEPTH = 64

/** Keys that mean something to JavaScript itself; no producer needs them, and no code behind this has to fear them. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor'])

export interface JsonOptions {
  /** Integers beyond ±(2^53 − 1) become bigint instead of the nearest double. */
  readonly exactIntegers: boolean
  /** How a rejection names the place at fault; `fieldPath` when keys may be told. */
  readonly fieldOf?: (path: readonly (string | number)[]) => string | null
}

/** A decoder for the values of one topic, most of which are alike: what it has seen, it reads faster. See `decodeJson`. */
export function jsonDecoder(options: JsonOptions): (bytes: Uint8Array) => Step<unknown> {
  const flat = new FlatJson()
  return (bytes) => decode(bytes, options, flat)
}

/**
 * Bytes → one JSON value (RFC 8259), or the reason why it could not be carried unchanged.
 * A byte-order mark is refused; −0 stays −0; a number is the double nearest to what is written, so one too small is 0.
 */
export function decodeJson(bytes: Uint8Array, options: JsonOptions): Step<unknown> {
  return decode(bytes, options, undefined)
}

function decode(
  bytes: Uint8Array,
  { exactIntegers, fieldOf = fieldPath }: JsonOptions,
  flat: FlatJson | undefined,
): Step<unknown> {
  if (!isUtf8(bytes)) return reject('UTF8_INVALID', null, 'the value is not valid UTF-8')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const read = flat?.read(text)
  if (read !== undefined) return accept(read)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return reject('JSON_INVALID', null, syntaxFault(text, error))
  }
  const { keys, escaped } = countKeys(text)
  if (escaped) value = parseKeysAlone(text, JSON.parse, MAX_DEPTH)
  const survey: Survey = { keys: 0, isRounded: false, hasEscapes: text.includes('\\u'), path: [] }
  const fault = surveyValue(value, 0, survey)
  if (fault !== undefined) return reject(fault.code, fieldOf(survey.path.reverse()), fault.message)
  if (survey.keys !== keys) {
    return reject(
      'JSON_DUPLICATE_KEY',
      fieldOf(duplicateKey(text)),
      'the key stands there twice; which of the values is meant cannot be known',
    )
  }
  if (!escaped) flat?.learn(value)
  if (!exactIntegers || !survey.isRounded) return accept(value)
  return accept(escaped ? parseKeysAlone(text, parseExactly, MAX_DEPTH) : parseExactly(text))
}

interface Survey {
  /** Keys of all objects. Fewer than the text has mean that some are there twice. */
  keys: number
  /** Whether there is an integer that a double may not hold. */
  isRounded: boolean
  /** Whether the text has `\u` escapes: without them a string from valid UTF-8 has no lone surrogate. */
  readonly hasEscapes: boolean
  /** Of a fault, innermost first. */
  readonly path: (string | number)[]
}

interface Fault {
  readonly code: RejectionCode
  readonly message: string
}

function surveyValue(value: unknown, depth: number, survey: Survey): Fault | undefined {
  if (typeof value === 'string') {
    if (survey.hasEscapes && !value.isWellFormed()) return LONE_SURROGATE
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) return OVERFLOW
    survey.isRounded ||= Math.abs(value) > Number.MAX_SAFE_INTEGER
  } else if (typeof value === 'object' && value !== null) {
    if (depth === MAX_DEPTH) return TOO_DEEP
    return Array.isArray(value) ? surveyArray(value, depth + 1, survey) : surveyObject(value, depth + 1, survey)
  }
  return undefined
}

function surveyArray(array: readonly unknown[], depth: number, survey: Survey): Fault | undefined {
  for (let i = 0; i < array.length; i++) {
    const fault = surveyValue(array[i], depth, survey)
    if (fault !== undefined) {
      survey.path.push(i)
      return fault
    }
  }
  return undefined
}

function surveyObject(object: object, depth: number, survey: Survey): Fault | undefined {
  for (const key of Object.keys(object)) {
    survey.keys += 1
    const fault =
      (FORBIDDEN_KEYS.has(key) ? FORBIDDEN_KEY : undefined) ??
      surveyValue((object as Record<string, unknown>)[key], depth, survey) ??
      (survey.hasEscapes && !key.isWellFormed() ? LONE_SURROGATE : undefined)
    if (fault !== undefined) {
      survey.path.push(key)
      return fault
    }
  }
  return undefined
}

const FORBIDDEN_KEY: Fault = {
  code: 'JSON_FORBIDDEN_KEY',
  message: 'the keys "__proto__" and "constructor" are refused',
}
const TOO_DEEP: Fault = { code: 'JSON_TOO_DEEP', message: `nested deeper than ${MAX_DEPTH} levels` }
const OVERFLOW: Fault = { code: 'JSON_NUMBER_OVERFLOW', message: 'the number is beyond what a double can hold' }
const LONE_SURROGATE: Fault = {
  code: 'JSON_LONE_SURROGATE',
  message: 'the text has half of a surrogate pair, which UTF-8 cannot hold',
}

/**
 * Parses with integers beyond ±(2^53 − 1) as bigint, from their digits. A reviver makes parsing slow and recursive: it is
 * for texts that have been found to need it, and not to be too deep.
 */
function parseExactly(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value
    return /^-?\d+$/.test(source) ? BigInt(source) : value
  }
  return JSON.parse(text, revive)
}

/** The parser's reason without the piece of input that V8 quotes: a dead letter's message never holds user data. */
function syntaxFault(text: string, error: unknown): string {
  if (text === '') return 'the value is empty, which is not JSON'
  if (text.startsWith('\ufeff')) return 'the value begins with a byte-order mark, which JSON does not allow'
  const at = / in JSON (at position \d+)(?: \(line \d+ column \d+\))?$/.exec(
    error instanceof Error ? error.message : '',
  )
  return `the value is not JSON${at === null ? '' : ` (${at[1]})`}`
}
