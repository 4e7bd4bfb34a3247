import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { type Form, type Stored, type StoredRow, storedRows } from './stored.ts'

/** The lines of a file: valid UTF-8, each ended by "\n". */
export function linesOf(bytes: Uint8Array, compression: 'gzip' | 'zstd'): string[] {
  const plain = compression === 'gzip' ? gunzipSync(bytes) : zstdDecompressSync(bytes)
  const lines = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain).split('\n')
  if (lines.pop() !== '') throw new Error('the last line does not end')
  return lines
}

/** Every value of a file of JSON Lines, numbers by their digits, in the form that other readers' are compared in. */
export function readLines(bytes: Uint8Array, compression: 'gzip' | 'zstd', columns: readonly Column[]): StoredRow[] {
  const rows = linesOf(bytes, compression).map((line) => JSON.parse(line, withDigits) as Row)
  return storedRows(rows, columns, LINES)
}

class Digits {
  readonly text: string

  constructor(source: string) {
    this.text = source
  }
}

function withDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new Digits(context?.source ?? '') : value
}

const LINES: Form = {
  items: (list) => list as unknown[],
  entries: (map) => Object.entries(map as object),
  field: (struct, name) => (struct as Row)[name],
  scalar: scalarOf,
}

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

function scalarOf(value: unknown, type: ColumnType): Stored {
  switch (type.kind) {
    case 'boolean':
      if (typeof value === 'boolean') return value
      throw new Error(`not a boolean: ${String(value)}`)
    case 'int64':
      return BigInt(digits(value))
    case 'int32':
      return Number(digits(value))
    case 'float':
    case 'double': {
      const number = typeof value === 'string' ? SPECIAL[value] : Number(digits(value))
      if (number === undefined) throw new Error(`not a number: ${String(value)}`)
      return number
    }
    case 'decimal':
      return unscaled(text(value), type.scale)
    case 'string':
      return text(value)
    case 'binary':
      return Buffer.from(text(value), 'base64').toString('hex')
    case 'uuid':
      return text(value).replaceAll('-', '')
    case 'date':
      return Number(ticks(`${text(value)}T00:00:00`, '')) / 86_400
    case 'timestamp': {
      const plain = type.utc ? text(value).replace(/Z$/, '') : text(value)
      if (type.utc !== (plain !== value)) throw new Error(`the zone is wrong: ${String(value)}`)
      const [seconds = '', fraction = ''] = plain.split('.')
      if (fraction.length !== (type.unit === 'us' ? 6 : 3)) throw new Error(`other digits of a second: ${plain}`)
      return ticks(seconds, fraction)
    }
    default:
      throw new Error(`not a scalar: ${type.kind}`)
  }
}

/** A date and time of UTC, to the second, and the digits behind it → seconds since 1970, with these digits behind. */
function ticks(seconds: string, fraction: string): bigint {
  const ms = Date.parse(`${seconds}Z`)
  return BigInt(ms / 1000) * 10n ** BigInt(fraction.length) + BigInt(fraction || 0)
}

function unscaled(digitsOf: string, scale: number): bigint {
  const [, whole = '', fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(digitsOf) ?? []
  if (fraction.length !== scale) throw new Error(`other digits behind the point: ${digitsOf}`)
  return BigInt(whole + fraction)
}

function digits(value: unknown): string {
  if (value instanceof Digits) return value.text
  throw new Error(`not a number: ${String(value)}`)
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw new Error(`not text: ${String(value)}`)
}
