import type { Stage } from './errors.ts'
import type { PartitionValue } from './partition.ts'

/** Every reason for which one record can be refused, with the stage that refuses it. */
export const REJECTIONS = {
  VALUE_MISSING: 'decode',
  UTF8_INVALID: 'decode',
  JSON_INVALID: 'decode',
  JSON_DUPLICATE_KEY: 'decode',
  JSON_FORBIDDEN_KEY: 'decode',
  JSON_NUMBER_OVERFLOW: 'decode',
  JSON_LONE_SURROGATE: 'decode',
  JSON_TOO_DEEP: 'decode',
  EVENT_INVALID: 'contract',
  TRANSFORM_THREW: 'transform',
  ROW_INVALID: 'transform',
  PARTITION_INVALID: 'partition',
} as const satisfies Record<string, Stage>

export type RejectionCode = keyof typeof REJECTIONS

/** Why a record is refused: a fault of the data. The record becomes a dead letter. */
export interface Rejection {
  readonly code: RejectionCode
  /** The path of the field at fault, as `a.b[2]`; null when the whole value is. */
  readonly field: string | null
  /** What was expected and what was found. */
  readonly message: string
}

/** A step of the record path gives a value, or says why there is none. */
export type Step<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly rejection: Rejection }

export function accept<T>(value: T): Step<T> {
  return { ok: true, value }
}

export function reject(code: RejectionCode, field: string | null, message: string): Step<never> {
  return { ok: false, rejection: { code, field, message } }
}

/** One row of a table: the contract's fields and Inlet's own columns. */
export type Row = Record<string, unknown>

/** A row and the table partition it belongs to. */
export interface PlacedRow {
  readonly row: Row
  readonly partition: readonly PartitionValue[]
}

/** What became of one record whose slice did not fail. */
export type Outcome =
  | { readonly kind: 'written'; readonly rows: readonly PlacedRow[] }
  | { readonly kind: 'skipped'; readonly reason: 'transform' | 'tombstone' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/** Records by outcome, and rows and files that came of them. `written + skipped + rejected = records`. */
export interface Counts {
  readonly records: number
  readonly written: number
  readonly skipped: number
  readonly rejected: number
  readonly rows: number
}
